"""The one family of errors. `code` is stable and public: `api/errors.py` and `cli/` translate it once."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a definition, precise enough to be fixed without searching."""

    message: str
    file: str | None = None
    line: int | None = None
    job: str | None = None
    key: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.file and self.line else (self.file or "")
        subject = " ".join(
            part
            for part in (f"job {self.job!r}" if self.job else "", f"key {self.key!r}" if self.key else "")
            if part
        )
        return ": ".join(part for part in (place, subject, self.message) if part)


class LibertyError(Exception):
    """Base of every error a user may see. The message says what, which one, and what to do."""

    code: ClassVar[str] = "internal"
    final: ClassVar[bool] = False
    """A step that fails with it is not tried again, whatever its retry policy says."""

    def __init__(self, message: str, *, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, Any] = dict(details or {})


class NotFound(LibertyError):
    """The thing does not exist, or the caller may not know that it does."""

    code = "not_found"


class Conflict(LibertyError):
    """The thing exists, but its present state does not allow the request."""

    code = "conflict"


class Invalid(LibertyError):
    """The request or a definition is wrong; `problems` says where."""

    code = "invalid"

    def __init__(
        self,
        message: str,
        *,
        problems: Iterable[Problem] = (),
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, details=details)
        self.problems: tuple[Problem, ...] = tuple(problems)


class Unauthenticated(LibertyError):
    """No credentials, or credentials that are wrong, expired or revoked."""

    code = "unauthenticated"


class Forbidden(LibertyError):
    """The caller is known and may not do this; shown only where the thing's existence is no secret."""

    code = "forbidden"


class TooMany(LibertyError):
    """The caller must slow down; `details["retry_after_seconds"]` says for how long."""

    code = "too_many_requests"


class Unavailable(LibertyError):
    """Something needed now is down or full; the same request may succeed later."""

    code = "unavailable"


class OutcomeUnknown(Unavailable):
    """The answer to a commit was lost: it may have been stored. Repeating it must be harmless."""


class StorageFull(Unavailable):
    """The run history has no space left. Certainly not stored."""

    code = "storage_full"


class Internal(LibertyError):
    """A defect of ours."""

    code = "internal"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A suffix such as `; did you mean 'schedule'?`, or an empty string when nothing is near."""
    near = get_close_matches(name.lower(), {item.lower(): item for item in known}, n=1, cutoff=0.6)
    if not near:
        return ""
    original = next(item for item in known if item.lower() == near[0])
    return f"; did you mean {original!r}?"
