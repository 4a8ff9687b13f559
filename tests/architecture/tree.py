"""The files of the repository, as the architecture tests look at them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "liberty"

# What is made, not written: kept out of version control too.
_MADE = frozenset(
    {".git", ".venv", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".import_linter_cache", ".hypothesis"}
) | {"__pycache__", "node_modules", "build", "dist", "liberty-data", "demo-run", "results"}
_TEXT = frozenset(
    {".py", ".toml", ".md", ".sh", ".lock", ".sql", ".yml", ".yaml", ".json", ".txt", ".ts", ".tsx", ""}
)


@cache
def source_files() -> tuple[Path, ...]:
    """Every Python file of the package."""
    return tuple(sorted(SOURCE.rglob("*.py")))


@cache
def text_files() -> tuple[Path, ...]:
    """Every written text file of the repository."""
    return tuple(sorted(path for path in _walk(ROOT) if path.suffix in _TEXT))


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in _MADE or path.name.startswith(".venv"):
            continue
        if path.is_dir():
            yield from _walk(path)
        elif path.is_file():
            yield path


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def name_of(path: Path) -> str:
    """`jobs/run.py`: the path below the package, as the architecture writes it."""
    return path.relative_to(SOURCE).as_posix()
