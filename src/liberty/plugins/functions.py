"""Which functions a plugin offers, read from its source without running any of it."""

import ast
import inspect
from dataclasses import dataclass
from typing import Any

from liberty.plugins.annotations import Enums, FieldKind, enums_in, literal, wanted
from liberty.plugins.docstrings import descriptions
from liberty.plugins.tree import Source

__all__ = [
    "CONTEXT_CLASSES",
    "CONTEXT_NAMES",
    "INJECTED",
    "FieldKind",
    "PluginFunction",
    "PluginParameter",
    "functions_in",
]

INJECTED = frozenset({"connectors", "ctx", "settings"})
"""What a python step hands over on its own when a callable names it."""

CONTEXT_NAMES = frozenset({"ctx", "context"})
CONTEXT_CLASSES = frozenset({"RunContext", "StepContext"})


@dataclass(frozen=True, slots=True)
class PluginParameter:
    """One parameter as written; `annotation` and `default` are source text.

    For forms: the `kind` of value, its `choices`, whether None is allowed, and the default as a value where it is one.
    """

    name: str
    annotation: str | None
    default: str | None
    kind: FieldKind = "any"
    choices: tuple[Any, ...] | None = None
    optional: bool = False
    value: Any = None
    description: str = ""

    @property
    def required(self) -> bool:
        return self.default is None


@dataclass(frozen=True, slots=True)
class PluginFunction:
    """A function that a `python` step may call. `parameters` leaves out what the step injects."""

    ref: str
    name: str
    module: str
    file: str
    line: int
    summary: str
    parameters: tuple[PluginParameter, ...]
    takes_any: bool
    is_async: bool
    doc: str = ""


def functions_in(module: str, source: Source) -> tuple[PluginFunction, ...]:
    """Every top-level `def` and `async def` of one module. Raises SyntaxError, or ValueError for a NUL byte."""
    body = ast.parse(source.text or b"", filename=source.path).body
    enums = enums_in(body)
    return tuple(
        _describe(module, source.path, node, enums)
        for node in body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def _describe(
    module: str, file: str, node: ast.FunctionDef | ast.AsyncFunctionDef, enums: Enums
) -> PluginFunction:
    positional = [*node.args.posonlyargs, *node.args.args]
    gap = len(positional) - len(node.args.defaults)
    written = [
        (argument, node.args.defaults[index - gap] if index >= gap else None)
        for index, argument in enumerate(positional)
    ]
    if written and _takes_context(written[0][0]):
        del written[0]
    written += list(zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True))
    doc = inspect.cleandoc(ast.get_docstring(node) or "")
    about = descriptions(doc)
    return PluginFunction(
        ref=f"{module}:{node.name}",
        name=node.name,
        module=module,
        file=file,
        line=node.lineno,
        summary=doc.partition("\n")[0],
        parameters=tuple(
            _parameter(argument, default, enums, about.get(argument.arg, ""))
            for argument, default in written
            if argument.arg not in INJECTED
        ),
        takes_any=node.args.kwarg is not None,
        is_async=isinstance(node, ast.AsyncFunctionDef),
        doc=doc,
    )


def _parameter(
    argument: ast.arg, default: ast.expr | None, enums: Enums, description: str
) -> PluginParameter:
    asked = wanted(argument.annotation, default, enums)
    return PluginParameter(
        argument.arg,
        _text(argument.annotation),
        _text(default),
        asked.kind,
        asked.choices,
        asked.optional,
        literal(default)[1],
        description,
    )


def _takes_context(argument: ast.arg) -> bool:
    if argument.arg in CONTEXT_NAMES:
        return True
    return argument.annotation is not None and mentions_context(argument.annotation)


def mentions_context(annotation: ast.expr) -> bool:
    """True for `StepContext`, `base.RunContext`, `"StepContext"`, `RunContext | None` and the like."""
    for node in ast.walk(annotation):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in CONTEXT_CLASSES:
                return True
            case ast.Constant(value=str(text)) if text.rpartition(".")[2] in CONTEXT_CLASSES:
                return True
    return False


def _text(node: ast.expr | None) -> str | None:
    return None if node is None else ast.unparse(node)
