"""One measured number with its target and its limit; the table of many; percentiles."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured. `limit` was measured in the same run: a peer, or what the machine allows."""

    name: str
    value: float
    unit: str
    target: float | None = None
    better: Literal["lower", "higher"] = "lower"
    limit: float | None = None
    limit_is: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> Literal["met", "missed", ""]:
        """Empty for a number that has no target and is shown beside others."""
        if self.target is None:
            return ""
        met = self.value <= self.target if self.better == "lower" else self.value >= self.target
        return "met" if met else "missed"

    def as_dict(self) -> dict[str, Any]:
        found = {**asdict(self), "verdict": self.verdict}
        found["value"] = rounded(self.value)
        found["limit"] = None if self.limit is None else rounded(self.limit)
        return found


def table(figures: Iterable[tuple[str, Figure]]) -> str:
    """Markdown with columns wide enough to be read as plain text; `figures` are pairs of scenario and figure."""
    rows: list[tuple[str, ...]] = [
        ("scenario", "measured", "", "target", "peer or limit, same run", "verdict")
    ]
    for scenario, figure in figures:
        sign = "≤" if figure.better == "lower" else "≥"
        target = "" if figure.target is None else f"{sign} {short(figure.target)} {figure.unit}"
        limit = "" if figure.limit is None else f"{short(figure.limit)} {figure.unit} ({figure.limit_is})"
        verdict = {"met": "met", "missed": "MISSED", "": ""}[figure.verdict]
        rows.append((scenario, f"{short(figure.value)} {figure.unit}", figure.name, target, limit, verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rows.insert(1, tuple("-" * width for width in widths))
    return "\n".join("| " + " | ".join(_padded(row, widths)) + " |" for row in rows)


def _padded(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]


def percentile(values: Iterable[float], percent: float) -> float:
    """The smallest value that `percent` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * percent // 100) - 1)]


def median(values: Iterable[float]) -> float:
    return percentile(values, 50)


def rounded(value: float) -> float:
    """Four significant digits: more than a repetition would confirm."""
    return float(f"{value:.4g}")


def short(value: float) -> str:
    """Three digits, thousands apart."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
