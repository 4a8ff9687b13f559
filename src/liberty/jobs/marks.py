"""How far an incremental copy has come: the highest value it has taken, as text that keeps the value's type."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from liberty.errors import Invalid

START = "start"
"""The kind of a mark before the first value: everything is copied."""


@dataclass(frozen=True, slots=True)
class CopyMark:
    """`revision` counts its changes: it is moved only from the place where it was seen."""

    kind: str
    value: str | None
    revision: int = 0

    @classmethod
    def of(cls, value: Any, revision: int = 0) -> "CopyMark":
        """The mark of a value that a database gave. Raises Invalid for a type that has no order to follow."""
        match value:
            case bool() | bytes():
                raise Invalid(f"an incremental copy cannot follow values such as {value!r}")
            case int():
                return cls("int", str(value), revision)
            case float():
                return cls("float", repr(value), revision)
            case Decimal():
                return cls("decimal", str(value), revision)
            case datetime():
                return cls("timestamp", value.isoformat(sep=" "), revision)
            case date():
                return cls("date", value.isoformat(), revision)
            case _:
                return cls("text", str(value), revision)

    @classmethod
    def written(cls, text: str, like: "CopyMark | None") -> "CopyMark":
        """The mark that somebody wrote by hand, of the kind the last one had. Raises Invalid when it is none."""
        if like is None or like.kind == START:
            kind = "int" if text.removeprefix("-").isdecimal() else "text"
        else:
            kind = like.kind
        mark = cls(kind, text)
        try:
            mark.as_value()
        except (ValueError, ArithmeticError):
            raise Invalid(f"{text!r} is no {kind}, as the marks before it were") from None
        return mark

    def as_value(self) -> Any:
        """The value again; None for the start."""
        match self.kind, self.value:
            case _, None:
                return None
            case "int", text:
                return int(text)
            case "float", text:
                return float(text)
            case "decimal", text:
                return Decimal(text)
            case "timestamp", text:
                return datetime.fromisoformat(text)
            case "date", text:
                return date.fromisoformat(text)
            case _, text:
                return text
