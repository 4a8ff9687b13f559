"""What pydantic found wrong in a definition, as plain sentences with the key they are about."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAliasType, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from liberty.errors import did_you_mean

type Path = tuple[str | int, ...]

_SENTENCES = {
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
}
_LIMITS = {
    "greater_than": ("must be greater than", "gt"),
    "greater_than_equal": ("must be at least", "ge"),
    "less_than": ("must be less than", "lt"),
    "less_than_equal": ("must be at most", "le"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong, at a path inside the job."""

    path: Path
    message: str


def findings_of(
    error: ValidationError,
    model: type[BaseModel],
    table: Mapping[str, Any],
    at: Path,
    aliases: Sequence[str] = (),
) -> list[Finding]:
    """One finding per error; `table` is what was validated, `aliases` further keys `model` is read with."""
    findings: dict[Path, Finding] = {}
    for details in error.errors(include_url=False):
        path = _within(details["loc"], table)
        findings.setdefault(path, Finding((*at, *path), _sentence(details, model, path, aliases)))
    return list(findings.values())


def _sentence(details: ErrorDetails, model: type[BaseModel], path: Path, aliases: Sequence[str]) -> str:
    kind = details["type"]
    context = details.get("ctx", {})
    if kind == "extra_forbidden":
        name = str(path[-1])
        known = _known_keys(model, path[:-1]) + (list(aliases) if len(path) == 1 else [])
        return f"unknown key {name!r}{did_you_mean(name, known)}"
    if kind == "missing":
        return f"{str(path[-1])!r} is required"
    if kind in {"literal_error", "enum"}:
        given = details["input"]
        words = [
            word.strip().strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(",")
        ]
        near = did_you_mean(given, words) if isinstance(given, str) else ""
        return f"must be {context['expected']}, not {given!r}{near}"
    if kind in {"value_error", "assertion_error"}:
        return str(context.get("error", details["msg"]))
    if kind in _LIMITS:
        words_, bound = _LIMITS[kind]
        return f"{words_} {context[bound]}, not {details['input']!r}"
    if kind == "string_pattern_mismatch":
        return f"{details['input']!r} does not have the form {context['pattern']}"
    # Never the value itself: it may be a secret that stands in the wrong place.
    return _SENTENCES.get(kind, f"{details['msg'][:1].lower()}{details['msg'][1:]}")


def _within(location: Sequence[str | int], table: Any) -> Path:
    """The location without the parts pydantic adds for members of a union, which stand in no file."""
    path: list[str | int] = []
    value: Any = table
    for number, part in enumerate(location):
        child = _item(value, part)
        if child is None and number < len(location) - 1:
            continue
        if child is None and isinstance(part, str) and ("[" in part or "-" in part):
            continue
        path.append(part)
        value = child
    return tuple(path)


def _item(value: Any, part: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(part)
    if isinstance(value, list | tuple) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def _known_keys(model: type[BaseModel], path: Path) -> list[str]:
    models = [model]
    for part in path:
        if isinstance(part, str):
            inner = [owner.model_fields[part].annotation for owner in models if part in owner.model_fields]
            models = [found for annotation in inner for found in _models_in(annotation)]
    return [
        field.alias or name
        for owner in models
        for name, field in owner.model_fields.items()
        if not field.exclude and name != "param_specs"
    ]


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, TypeAliasType):
        annotation = annotation.__value__
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
