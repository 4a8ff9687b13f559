"""Changing TOML text: the lines that are not meant stay byte for byte, and what is meant comes out right."""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liberty.errors import Conflict, Invalid, LibertyError, NotFound
from liberty.toml_files import rewrite
from liberty.toml_files.changes import TextChange, changed, difference
from liberty.toml_files.pieces import piece_of, taken
from liberty.toml_files.write import table_text, value_text

FILE = '''\
# jobs of the tests

# the first one
[[jobs]]
name = "a"   # aligned by hand
tags = [
  "x", # why
  "y",
]

# how often
[jobs.retry]
attempts = 2

# gets it
[[jobs.steps]]
type = "python"
name = "get"
callable = "m:f"
op_kwargs = { n = 1 }

# tells it
[[jobs.steps]]
type = "sql_query"
name = "tell"
connector = "c"
query = """
[[jobs]]
select 1"""

[[jobs]]
name = "b"
[[jobs.steps]]
type = "python"
callable = "m:g"

[meta]
version = 1
'''


def lines_changed(before: str, after: str) -> set[str]:
    return set(before.split("\n")) ^ set(after.split("\n"))


def test_a_piece_has_the_comments_above_it_and_not_those_of_the_next() -> None:
    first = taken(FILE, piece_of(FILE, ("jobs", 0)))
    assert first.startswith("# the first one\n[[jobs]]\n")
    assert first.endswith('select 1"""\n')
    assert taken(FILE, piece_of(FILE, ("jobs", 1))).endswith('callable = "m:g"\n')
    step = taken(FILE, piece_of(FILE, ("jobs", 0, "steps", 0)))
    assert step.startswith("# gets it\n[[jobs.steps]]")
    assert step.endswith("{ n = 1 }\n")


@pytest.mark.parametrize(
    "text", [FILE, FILE.replace("[[jobs]]\nselect", "select"), FILE.partition("\n[meta]")[0]]
)
def test_a_piece_is_the_same_when_only_its_own_lines_are_read(text: str) -> None:
    for number in (0, 1):
        assert piece_of(text, ("jobs", number), count=2) == piece_of(text, ("jobs", number))


def test_a_piece_that_is_inline_or_absent_is_refused() -> None:
    with pytest.raises(Conflict, match="written inside of a list"):
        piece_of('jobs = [{name = "a"}]', ("jobs", 0))
    with pytest.raises(NotFound):
        piece_of(FILE, ("jobs", 2))


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (TextChange("set", ("jobs", 0, "retry", "attempts"), 3), {"attempts = 2", "attempts = 3"}),
        (TextChange("set", ("jobs", 0, "description"), "it"), {'description = "it"'}),
        (TextChange("remove", ("jobs", 0, "retry", "attempts")), {"attempts = 2"}),
        (TextChange("set", ("jobs", 1, "steps", 0, "name"), "run"), {'name = "run"'}),
        (
            TextChange("set", ("jobs", 0, "steps", 1, "query"), "select 2"),
            {'query = """', 'select 1"""', 'query = "select 2"'},
        ),
        (
            TextChange("set", ("jobs", 1, "steps", 0, "op_kwargs"), {"day": "${today}"}),
            {"[jobs.steps.op_kwargs]", 'day = "${today}"'},
        ),
        (TextChange("move", ("jobs", 0, "steps", 1), to=0), set()),
        (
            TextChange("set", ("jobs", 0, "tags", 1), "z"),
            {'  "x", # why', '  "y",', "tags = [", "]", 'tags = ["x", "z"]'},
        ),
    ],
)
def test_only_the_lines_that_are_meant_change(change: TextChange, lines: set[str]) -> None:
    assert lines_changed(FILE, changed(FILE, [change])) - {""} == lines - {"[[jobs]]"}


def test_a_step_moves_with_its_comments_and_inserted_ones_stand_apart() -> None:
    after = changed(FILE, [TextChange("move", ("jobs", 0, "steps", 0), to=1)])
    assert after.index("# tells it") < after.index("# gets it") < after.index('name = "b"')
    back = changed(after, [TextChange("move", ("jobs", 0, "steps", 0), to=1)])
    assert tomllib.loads(back) == tomllib.loads(FILE)
    assert lines_changed(back, FILE) == set()
    new = {"type": "sql_query", "name": "new", "query": "select 1\nfrom t", "retry": {"attempts": 2}}
    for place in (0, 1, 2):
        text = changed(FILE, [TextChange("insert", ("jobs", 0, "steps", place), new)])
        assert tomllib.loads(text)["jobs"][0]["steps"][place] == new
        assert 'query = """\nselect 1\nfrom t"""' in text
    gone = changed(FILE, [TextChange("remove", ("jobs", 0, "steps", 0))])
    assert "# gets it" not in gone
    assert "# tells it" in gone


def test_a_new_section_of_a_job_stands_before_its_steps() -> None:
    text = changed(FILE, [TextChange("set", ("jobs", 1, "params"), {"day": "x"})])
    assert '[jobs.params]\nday = "x"\n\n[[jobs.steps]]\ntype = "python"\ncallable = "m:g"' in text
    text = changed(FILE, [TextChange("set", ("jobs", 0, "presets"), [{"name": "p"}])])
    assert text.index("[[jobs.presets]]") < text.index("# gets it")
    assert changed(text, [TextChange("remove", ("jobs", 0, "presets"))]) == FILE


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (TextChange("set", ("jobs", 7, "name"), "x"), NotFound),
        (TextChange("set", ("jobs", 0, "name"), None), Invalid),
        (TextChange("set", ("jobs", 0, "name", "x"), 1), NotFound),
        (TextChange("move", ("jobs", 0, "steps", 0), to=2), Invalid),
        (TextChange("move", ("jobs", 0, "name"), to=0), Invalid),
        (TextChange("insert", ("jobs", 0, "steps", 5), {"type": "python"}), NotFound),
        (TextChange("remove", ("jobs", 0, "steps", -1)), NotFound),
    ],
)
def test_a_change_that_cannot_be_is_refused(change: TextChange, error: type[Exception]) -> None:
    with pytest.raises(error):
        changed(FILE, [change])


def test_the_difference_knows_elements_by_name() -> None:
    before = tomllib.loads(FILE)
    after = tomllib.loads(FILE)
    steps = after["jobs"][0]["steps"]
    steps.reverse()
    steps[1]["op_kwargs"]["n"] = 2
    assert [(change.op, change.path, change.to) for change in difference(before, after)] == [
        ("move", ("jobs", 0, "steps", 1), 0),
        ("set", ("jobs", 0, "steps", 1, "op_kwargs", "n"), None),
    ]
    assert difference({"a": 1}, {"a": True}) == [TextChange("set", ("a",), True)]
    assert difference(tomllib.loads("a = 2026-01-01"), {"a": "2026-01-01"}) == []


NAMES = st.sampled_from(["name", "tags", "retry", "params", "a b", "é"])
SCALARS = (
    st.text("a é\t\"'\\\n#=[]{}$\x7f\x01", max_size=6)
    | st.integers(-2, 2)
    | st.booleans()
    | st.sampled_from([0.5, 1.0, 1e300])
)
TABLES = st.dictionaries(
    NAMES, SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(NAMES, SCALARS, max_size=2), max_size=4
)
JOBS = st.builds(
    lambda table, steps: {**table, "steps": steps}, TABLES, st.lists(TABLES, min_size=1, max_size=3)
)


@given(JOBS)
def test_what_is_written_reads_back(job: dict[str, Any]) -> None:
    assert tomllib.loads(table_text("jobs", job, element=True)) == {"jobs": [job]}
    assert tomllib.loads(f"x = {value_text(job)}") == {"x": job}


@given(JOBS, JOBS)
def test_a_difference_leads_from_one_to_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    text = table_text("jobs", before, element=True) + "\n"
    found = changed(text, difference({"jobs": [before]}, {"jobs": [after]}))
    assert tomllib.loads(found) == {"jobs": [after]}


def test_a_file_keeps_its_line_ends_and_mark(tmp_path: Path) -> None:
    path = tmp_path / "jobs.toml"
    path.write_bytes(b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode())
    rewrite(path, lambda text: changed(text, [TextChange("set", ("jobs", 0, "retry", "attempts"), 9)]))
    expected = FILE.replace("attempts = 2", "attempts = 9").replace("\n", "\r\n").encode()
    assert path.read_bytes() == b"\xef\xbb\xbf" + expected


PATHS = st.lists(
    st.sampled_from(["jobs", "steps", "name", "op_kwargs", "n", "tags", "retry", "new", "meta", ""])
    | st.sampled_from([0, 1, 2, -1, 10**30]),
    min_size=1,
    max_size=5,
)
VALUES = (
    SCALARS | st.lists(SCALARS | st.none(), max_size=2) | TABLES | st.lists(TABLES, max_size=2) | st.none()
)


@given(
    st.sampled_from(["set", "remove", "insert", "move"]),
    PATHS,
    VALUES,
    st.sampled_from([None, 0, 1, -1, 10**30]),
)
def test_any_change_is_made_right_or_refused(
    op: Any, path: list[str | int], value: Any, to: int | None
) -> None:
    try:
        text = changed(FILE, [TextChange(op, ("jobs", 0, *path), value, to)])
    except LibertyError:
        return
    other = tomllib.loads(text)
    assert other["jobs"][1] == tomllib.loads(FILE)["jobs"][1]
    assert other["meta"] == {"version": 1}


def test_processes_edit_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "jobs.toml"
    path.write_text("n = 0\n")
    code = (
        "import sys, tomllib\nfrom pathlib import Path\nfrom liberty.toml_files import rewrite\n"
        "for _ in range(20):\n"
        "    rewrite(Path(sys.argv[1]), lambda text: f'n = {tomllib.loads(text)[\"n\"] + 1}\\n')\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert path.read_text() == "n = 60\n"
