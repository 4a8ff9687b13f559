"""How a user's function wants to be called: its context, its parameters, and values made to fit their annotations."""

import ast
import inspect
import sys
import types
import typing
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from liberty.jobs.steps.base import RunContext

_TRUE = frozenset({"true", "yes", "1", "on", "t", "y"})
_FALSE = frozenset({"false", "no", "0", "off", "f", "n"})

type Scalar = Literal["int", "float", "bool", "str", "date", "datetime"]

_SCALARS: dict[object, Scalar] = {
    int: "int",
    float: "float",
    bool: "bool",
    str: "str",
    date: "date",
    datetime: "datetime",
}


@dataclass(frozen=True, slots=True)
class Fit:
    """The scalar type a parameter is annotated with."""

    scalar: Scalar
    optional: bool


@dataclass(frozen=True, slots=True)
class Signature:
    """What binding needs to know of a function.

    `context` is the name of a first parameter that takes the run's context by position. `fits` has the other
    named parameters, with None for those whose annotation asks for no coercion.
    """

    context: str | None
    positional_only: tuple[str, ...]
    fits: Mapping[str, Fit | None]
    required: frozenset[str]
    rest: str | None
    is_async: bool


def signature_of(function: Callable[..., Any]) -> Signature:
    """The signature, read once per function object. Raises ValueError for one that has none."""
    try:
        return _known[function]
    except KeyError:
        signature = _known[function] = _read(function)
        return signature
    except TypeError:  # a callable object that is unhashable or cannot be referenced weakly
        return _read(function)


_known: weakref.WeakKeyDictionary[Callable[..., Any], Signature] = weakref.WeakKeyDictionary()


def fit(value: object, wanted: Fit) -> object:
    """`value` as the wanted type. Raises ValueError or TypeError when it cannot be without loss."""
    if value is None or (value == "" and wanted.optional and wanted.scalar != "str"):
        if wanted.optional:
            return None
        raise TypeError("there is no value")
    return _CONVERTERS[wanted.scalar](value)


def _int(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(f"a {type(value).__name__} is no whole number")
    if isinstance(value, float) and not value.is_integer():
        raise ValueError("it has a fraction")
    return int(value)


def _bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if isinstance(value, str | int) and word in _TRUE:
        return True
    if isinstance(value, str | int) and word in _FALSE:
        return False
    raise ValueError("use true or false")


def _str(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} is no text")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a {type(value).__name__} is no date")
    return value.strip()


def _float(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(f"a {type(value).__name__} is no number")
    return float(value)


def _date(value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(_text(value))


def _datetime(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a TOML date has no zone
    return datetime.fromisoformat(_text(value))


_CONVERTERS: dict[Scalar, Callable[[object], object]] = {
    "int": _int,
    "float": _float,
    "bool": _bool,
    "str": _str,
    "date": _date,
    "datetime": _datetime,
}


def _read(function: Callable[..., Any]) -> Signature:
    signature = _inspect(function)
    names = getattr(inspect.unwrap(function), "__globals__", {})
    parameters = list(signature.parameters.values())
    context = None
    if parameters and _takes_context(parameters[0], names):
        context = parameters.pop(0).name
    rest = None
    positional_only: list[str] = []
    fits: dict[str, Fit | None] = {}
    required: set[str] = set()
    for parameter in parameters:
        if parameter.kind is parameter.VAR_KEYWORD:
            rest = parameter.name
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            fits[parameter.name] = _fit_for(parameter, names)
            if parameter.kind is parameter.POSITIONAL_ONLY:
                positional_only.append(parameter.name)
            if parameter.default is parameter.empty:
                required.add(parameter.name)
    return Signature(
        context=context,
        positional_only=tuple(positional_only),
        fits=fits,
        required=frozenset(required),
        rest=rest,
        is_async=inspect.iscoroutinefunction(function),
    )


def _inspect(function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except NameError:
        # From Python 3.14 annotations are evaluated here, and a name imported for type checkers only is missing.
        if sys.version_info >= (3, 14):
            import annotationlib

            return inspect.signature(function, annotation_format=annotationlib.Format.STRING)
        raise


def _takes_context(parameter: inspect.Parameter, names: Mapping[str, object]) -> bool:
    if parameter.kind not in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
        return False
    return parameter.name in ("ctx", "context") or _is_context(parameter.annotation, names)


def _is_context(annotation: object, names: Mapping[str, object]) -> bool:
    if isinstance(annotation, str):
        # By name as well: the class is often imported under TYPE_CHECKING only.
        written = annotation.strip("'\" ").removesuffix("| None").strip().rpartition(".")[2]
        return written in ("RunContext", "StepContext") or _resolve(annotation, names) is RunContext
    if isinstance(annotation, type):
        return issubclass(annotation, RunContext)
    return any(_is_context(member, names) for member in typing.get_args(annotation))


def _fit_for(parameter: inspect.Parameter, names: Mapping[str, object]) -> Fit | None:
    annotation: object = parameter.annotation
    if isinstance(annotation, str):
        annotation = _resolve(annotation, names)
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    members = {annotation}
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        members = set(typing.get_args(annotation))
    optional = type(None) in members or parameter.default is None
    members.discard(type(None))
    if len(members) != 1:
        return None
    scalar = _SCALARS.get(next(iter(members)))
    return None if scalar is None else Fit(scalar, optional)


def _resolve(annotation: str, names: Mapping[str, object]) -> object:
    """What a written annotation means, for names, dotted names, `X | None` and `Optional[X]`; nothing is evaluated."""
    try:
        return _meaning(ast.parse(annotation.strip(), mode="eval").body, names)
    except SyntaxError:
        return None


def _meaning(node: ast.expr, names: Mapping[str, object]) -> Any:
    match node:
        case ast.Name(id=name):
            return (
                names[name]
                if name in names
                else {"int": int, "float": float, "bool": bool, "str": str}.get(name)
            )
        case ast.Attribute(value=owner, attr=name):
            return getattr(_meaning(owner, names), name, None)
        case ast.Constant(value=None):
            return None
        case ast.Constant(value=str(text)):
            return _resolve(text, names)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _either(_meaning(left, names), _meaning(right, names), nullable=_has_none(left, right))
        case ast.Subscript(value=owner, slice=inner) if _meaning(owner, names) is typing.Optional:
            return _either(_meaning(inner, names), None, nullable=True)
        case ast.Subscript(value=owner, slice=ast.Tuple(elts=[inner, *_])) if (
            _meaning(owner, names) is typing.Annotated
        ):
            return _meaning(inner, names)
    return None


def _either(left: Any, right: Any, *, nullable: bool) -> Any:
    known = [member for member in (left, right) if member is not None]
    if len(known) != 1 or not nullable:
        return None
    return typing.Optional[known[0]] if isinstance(known[0], type) else None  # noqa: UP045 - built at run time


def _has_none(*nodes: ast.expr) -> bool:
    return any(isinstance(node, ast.Constant) and node.value is None for node in nodes)
