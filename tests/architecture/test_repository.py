"""What the repository holds besides code: decisions, lock files, documentation, nobody's paths."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, source_files, text_files

MAX_DECISION_LINES = 25
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))

# Patterns are spelt so that they do not match themselves.
FORBIDDEN = {
    "a path of somebody's machine": r"(?<![\w.}$-])/(?:roo[t]|wor[k]|home/(?!\.|you\b|user\b|app)\w+|User[s])/\w",
    "the host of a package registry": r"\b(?:pypi\.or[g]|pythonhosted\.or[g]|registry\.npmjs\.or[g])",
    "the number of a ticket": r"(?i)\b(?:issu[e]|ticke[t]|phas[e]) #?\d+\b",
    "a code of a planning document": r"\bsee[d]s? [0-4]\b|\b(?:rul[e]|promis[e]|threa[t]) [DPT]\d|\([DPT]\d{1,2}\)",
    "a private key": r"-----BEGIN (?:\w+ )?PRIVATE KE[Y]-----",
    "unfinished work": r"\b(?:FIXM[E]|XX[X]|TOD[O])\b",
}


def found_in(text: str) -> list[str]:
    return [
        f"{what}: {match[0]!r}" for what, pattern in FORBIDDEN.items() for match in re.finditer(pattern, text)
    ]


def test_no_file_tells_about_the_place_it_was_written_at() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): problems
        for path in text_files()
        if (problems := found_in(path.read_text(errors="replace")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "open('/roo" + "t/x')",
        "/hom" + "e/alice/nomaflow",
        "https://pypi." + "org/simple",
        "see see" + "d 2",
        "(D" + "26)",
    ],
)
def test_the_search_finds_what_it_looks_for(text: str) -> None:
    assert found_in(text)


@pytest.mark.parametrize(
    "text", ["GET /workers", "/api/root", "/home/you/apps", "https://example.org", "seed=42"]
)
def test_the_search_leaves_ordinary_text_alone(text: str) -> None:
    assert found_in(text) == []


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
def test_a_decision_is_short_and_complete(path: Path) -> None:
    text = path.read_text()
    assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name)
    assert text.startswith(f"# {int(path.name[:4])}. ")
    assert len(text.splitlines()) <= MAX_DECISION_LINES
    for part in ("Context", "Choice", "Rejected", "Consequence"):
        assert f"**{part}.**" in text


def test_decisions_are_numbered_without_gap() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    assert len(DECISIONS) >= 12


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_a_lock_file_holds_versions_and_hashes_only(path: Path) -> None:
    entries = re.split(r"\n(?=\S)", path.read_text().strip())
    for entry in entries:
        assert re.match(r"[a-z0-9][a-z0-9._-]*==\S+", entry), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]
    assert "://" not in path.read_text()


def test_the_lock_for_development_contains_the_one_for_running() -> None:
    runtime, dev = (
        set(re.findall(r"(?m)^\S+==\S+", (ROOT / "requirements" / name).read_text()))
        for name in ("runtime.lock", "dev.lock")
    )
    assert runtime < dev


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    locked = {
        line.partition("==")[0]
        for line in (ROOT / "requirements" / "runtime.lock").read_text().splitlines()
        if "==" in line
    }
    wanted = {re.split(r"[\[<>=;! ]", text)[0].lower() for text in project["project"]["dependencies"]}
    assert wanted <= locked


def test_every_environment_variable_is_documented() -> None:
    used = {
        name
        for path in source_files()
        for name in re.findall(r"\bLIBERTY_[A-Z][A-Z_]*[A-Z]\b", path.read_text())
    }
    documentation = "".join(path.read_text() for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
    assert {name for name in used if not re.search(rf"\b{name}\b", documentation)} == set()


@pytest.mark.parametrize("name", ["start", "test", ".ci/run"])
def test_the_commands_may_be_executed(name: str) -> None:
    assert (ROOT / name).stat().st_mode & 0o111 == 0o111
