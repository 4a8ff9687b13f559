"""What pydantic found wrong in a file's values, as problems with a line, a key and the nearest known name."""

from collections.abc import Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from liberty.errors import Problem, did_you_mean
from liberty.toml_files.document import TomlDocument


def validation_problems(
    error: ValidationError,
    document: TomlDocument,
    *,
    at: Sequence[str | int] = (),
    model: type[BaseModel] | None = None,
    job: str | None = None,
) -> list[Problem]:
    """One Problem per error. `at` is where in the file the validated value stands; `model` names its known keys."""
    return [_problem(details, document, tuple(at), model, job) for details in error.errors(include_url=False)]


def _problem(
    details: ErrorDetails,
    document: TomlDocument,
    at: tuple[str | int, ...],
    model: type[BaseModel] | None,
    job: str | None,
) -> Problem:
    location = _in_file(details["loc"], document, at)
    key = _dotted(location)
    match details["type"]:
        case "extra_forbidden":
            name = str(location[-1])
            message = f"unknown key {name!r}{did_you_mean(name, _known_keys(model, location[:-1]))}"
        case "missing":
            message = f"{location[-1]!r} is missing"
        case "value_error" | "assertion_error":
            message = str(details.get("ctx", {}).get("error", details["msg"]))
        case _:
            # Never the value itself: it may be a secret that stands in the wrong place.
            message = f"{details['msg'][:1].lower()}{details['msg'][1:]}"
    return Problem(
        message, file=document.file, line=document.line_of((*at, *location)), job=job, key=key or None
    )


def _in_file(
    location: Sequence[str | int], document: TomlDocument, at: tuple[str | int, ...]
) -> tuple[str | int, ...]:
    """The location without the parts pydantic adds for the members of a union, which stand in no file."""
    value: Any = document.raw
    for part in at:
        value = _item(value, part)
    path: list[str | int] = []
    for number, part in enumerate(location):
        child = _item(value, part)
        if child is None and number < len(location) - 1:
            continue
        path.append(part)
        value = child
    return tuple(path)


def _item(value: Any, part: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def _known_keys(model: type[BaseModel] | None, location: Sequence[str | int]) -> list[str]:
    models = [model] if model is not None else []
    for part in location:
        if isinstance(part, str):
            inner = [m.model_fields[part].annotation for m in models if part in m.model_fields]
            models = [found for annotation in inner for found in _models_in(annotation)]
    return [field.alias or name for m in models for name, field in m.model_fields.items()]


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _dotted(location: Sequence[str | int]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
