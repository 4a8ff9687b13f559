"""House rules of the package that no linter knows."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import name_of, parsed, source_files

MAX_LINES = 400

# The edges at which any exception is caught, logged with its traceback and turned into a fact or an answer.
EDGES = {
    "loops.py": "a loop tick: the loop outlives it",
    "bus.py": "a subscriber: the others are told all the same",
    "jobs/engine/attempt.py": "a step attempt: it becomes the step's error",
    "notify/sender.py": "a notification: it is tried again later",
    "api/errors.py": "an HTTP boundary: it becomes a problem document",
}

SQL_LAYERS = ("jobs/store/", "notify/store/", "database/", "auth/", "connectors/", "etl/")
SQL_BUILDERS = frozenset({"select", "insert", "update", "delete", "text", "union_all", "Table", "MetaData"})
SQL_RUNNERS = frozenset(
    {"execute", "executemany", "executescript", "script", "fetch", "fetchrow", "fetchval"}
)
SQL_VERBS = ("select ", "insert ", "update ", "delete ", "create ", "alter ", "drop ", "with ")


def catches_everything(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or (isinstance(kind, ast.Name) and kind.id == "Exception") for kind in caught)


def passes_on(handler: ast.ExceptHandler) -> bool:
    """Ends by raising what it caught, so that it only cleans up."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def broad_handlers(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and catches_everything(node) and not passes_on(node):
            yield node.lineno


def sql_outside_its_layers(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sqlalchemy":
            if SQL_BUILDERS & {alias.name for alias in node.names}:
                yield node.lineno
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in SQL_RUNNERS
        ):
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and str(first.value).lstrip().lower().startswith(SQL_VERBS):
                yield node.lineno


@pytest.mark.parametrize("path", source_files(), ids=name_of)
def test_a_file_says_its_reason_and_stays_small(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= MAX_LINES, f"{name_of(path)} has {len(lines)} lines; it is probably two files"
    if lines:
        assert ast.get_docstring(parsed(path)), f"{name_of(path)} does not say what it is for"


@pytest.mark.parametrize("path", source_files(), ids=name_of)
def test_everything_is_caught_only_at_the_edges(path: Path) -> None:
    if name_of(path) not in EDGES:
        assert list(broad_handlers(parsed(path))) == [], f"`except Exception` in {name_of(path)}"


@pytest.mark.parametrize("path", source_files(), ids=name_of)
def test_sql_stays_in_its_layers(path: Path) -> None:
    if not name_of(path).startswith(SQL_LAYERS):
        assert list(sql_outside_its_layers(parsed(path))) == [], f"SQL in {name_of(path)}"


@pytest.mark.parametrize("path", source_files(), ids=name_of)
def test_tasks_are_started_where_they_are_awaited(path: Path) -> None:
    if name_of(path) == "loops.py" or name_of(path).startswith(("jobs/engine/", "live/")):
        return
    lost = [
        node.lineno
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and node.value.func.attr in {"create_task", "ensure_future"}
    ]
    assert lost == [], f"{name_of(path)} starts a task that nobody keeps"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("try: work()\nexcept Exception: pass", [2]),
        ("try: work()\nexcept (OSError, Exception) as error: note(error)", [2]),
        ("try: work()\nexcept: pass", [2]),
        ("try: work()\nexcept Exception:\n    undo()\n    raise", []),
        ("try: work()\nexcept OSError: pass", []),
    ],
)
def test_the_check_for_broad_handlers_finds_them(code: str, found: list[int]) -> None:
    assert list(broad_handlers(ast.parse(code))) == found


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("from sqlalchemy import select", [1]),
        ("from sqlalchemy.sql import text", [1]),
        ("await tx.execute('  SELECT 1')", [1]),
        ("from sqlalchemy.ext.asyncio import AsyncEngine", []),
        ("await connector.execute(query)", []),
    ],
)
def test_the_check_for_sql_finds_it(code: str, found: list[int]) -> None:
    assert list(sql_outside_its_layers(ast.parse(code))) == found
