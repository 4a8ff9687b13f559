"""What an annotation and a default, read as source text, ask a person for: a kind of value, choices, a default."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

type FieldKind = Literal["string", "int", "float", "bool", "date", "datetime", "list", "table", "any"]
type Enums = Mapping[str, tuple[Any, ...]]
"""The values of each enumeration that a module defines."""

_KINDS: dict[str, FieldKind] = {
    "str": "string",
    "int": "int",
    "float": "float",
    "Decimal": "float",
    "bool": "bool",
    "date": "date",
    "datetime": "datetime",
    "list": "list",
    "List": "list",
    "tuple": "list",
    "Sequence": "list",
    "set": "list",
    "dict": "table",
    "Dict": "table",
    "Mapping": "table",
}
_ENUM_BASES = frozenset({"Enum", "StrEnum", "IntEnum"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """`choices` of a Literal or an Enum; `optional` when None is allowed."""

    kind: FieldKind = "any"
    choices: tuple[Any, ...] | None = None
    optional: bool = False


def wanted(annotation: ast.expr | None, default: ast.expr | None, enums: Enums) -> Wanted:
    """By the annotation, else by the kind of the default."""
    found = Wanted() if annotation is None else _read(annotation, enums)
    has_value, value = literal(default)
    if found.kind == "any" and found.choices is None and has_value and value is not None:
        found = Wanted(_kind_of(value), None, found.optional)
    if has_value and value is None:
        found = Wanted(found.kind, found.choices, optional=True)
    return found


def literal(node: ast.expr | None) -> tuple[bool, Any]:
    """Whether the source is a plain JSON value, and that value."""
    if node is None:
        return False, None
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False, None
    return (True, value) if _is_json(value) else (False, None)


def enums_in(body: list[ast.stmt]) -> Enums:
    """The enumerations at the top of a module."""
    return {
        node.name: values
        for node in body
        if isinstance(node, ast.ClassDef)
        and any(_name(base) in _ENUM_BASES for base in node.bases)
        and (values := _members(node))
    }


def _members(node: ast.ClassDef) -> tuple[Any, ...]:
    values = []
    for statement in node.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            has_value, value = literal(statement.value)
            if has_value:
                values.append(value)
    return tuple(values)


def _read(node: ast.expr, enums: Enums) -> Wanted:
    match node:
        case ast.Constant(value=str(text)):
            try:
                return _read(ast.parse(text.strip(), mode="eval").body, enums)
            except SyntaxError:
                return Wanted()
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _either([left, right], enums)
        case ast.Subscript(value=owner, slice=inner):
            members = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            match _name(owner):
                case "Optional":
                    return _either([*members, ast.Constant(None)], enums)
                case "Union":
                    return _either(members, enums)
                case "Annotated":
                    return _read(members[0], enums)
                case "Literal":
                    return _choices([value for has, value in map(literal, members) if has])
                case name:
                    return Wanted(_KINDS.get(name, "any"))
    name = _name(node)
    if name in enums:
        return _choices(list(enums[name]))
    return Wanted(_KINDS.get(name, "any"))


def _either(members: list[ast.expr], enums: Enums) -> Wanted:
    rest = [node for node in members if not (isinstance(node, ast.Constant) and node.value is None)]
    found = [_read(node, enums) for node in rest]
    optional = len(rest) < len(members) or any(one.optional for one in found)
    if len(found) == 1:
        return Wanted(found[0].kind, found[0].choices, optional)
    return Wanted(optional=optional)


def _choices(values: list[Any]) -> Wanted:
    allowed = tuple(value for value in values if value is not None)
    kinds = {_kind_of(value) for value in allowed}
    return Wanted(kinds.pop() if len(kinds) == 1 else "any", allowed or None, len(allowed) < len(values))


def _kind_of(value: Any) -> FieldKind:
    return _KINDS.get(type(value).__name__, "any")


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _is_json(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_is_json, value))
    return (
        value is None
        or isinstance(value, str | bool | int)
        or (isinstance(value, float) and value == value and abs(value) != float("inf"))
    )
