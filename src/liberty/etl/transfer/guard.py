"""Limits that stop a copy, or a statement, before it harms: how many rows, and how many of those there may vanish."""

from dataclasses import dataclass

from liberty.etl.transfer.request import CopyFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What is allowed; None for what nobody limits."""

    max_delete_pct: float | None = None
    min_rows: int | None = None
    max_rows: int | None = None

    def check_rows(self, rows: int, done: str = "would be written") -> None:
        """Raises CopyFailed when there are too few or too many rows; `done` says what happens to them."""
        if self.min_rows is not None and rows < self.min_rows:
            raise CopyFailed(f"guard: {_rows(rows)} {done} and min_rows is {self.min_rows}; {_UNCHANGED}")
        if self.max_rows is not None and rows > self.max_rows:
            raise CopyFailed(f"guard: {_rows(rows)} {done} and max_rows is {self.max_rows}; {_UNCHANGED}")

    def verdict(self, rows: int, vanishing: int | None = None, held: int = 0) -> str:
        """What the checks would say: `ok`, or why not."""
        try:
            self.check_rows(rows)
            if vanishing is not None:
                self.check_deletes(vanishing, held)
        except CopyFailed as error:
            return error.message.partition(f"; {_UNCHANGED}")[0]
        return "ok"

    def check_deletes(self, vanishing: int, held: int) -> None:
        """Raises CopyFailed when too many of the `held` rows would be gone afterwards."""
        if self.max_delete_pct is None or not held:
            return
        percent = 100 * vanishing / held
        if percent > self.max_delete_pct:
            raise CopyFailed(
                f"guard: {vanishing:,} of the target's {held:,} rows would be deleted ({percent:.1f} %) "
                f"and max_delete_pct is {self.max_delete_pct:g}; {_UNCHANGED}"
            )


_UNCHANGED = "nothing was changed"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
