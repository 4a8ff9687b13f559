"""Reading TOML within limits, finding lines, filling in the environment, and editing without loss."""

import stat
import textwrap
import time
from pathlib import Path

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from liberty.errors import Conflict, Invalid, NotFound, Unavailable
from liberty.toml_files import (
    REMOVE,
    TomlDocument,
    edit_toml,
    parse_toml,
    read_toml,
    set_values,
    validation_problems,
    write_atomic,
)

JOBS = textwrap.dedent('''\
    # two jobs
    [[jobs]]
    name = "first"

    [[jobs.steps]]
    type = "python"

    [[jobs]]
    name = "second"
    description = """
    two
    lines [[not.a.table]] # not a comment
    """

    [jobs.params]
    "odd.key" = 1
    window = { from = "a", to = [
        "x",   # first
        { deep = 1.5 },
    ] }

    [[jobs.steps]]
    type = "http"
    retry.attempts = 3

    [jobs.steps.headers]
    Accept = 'text/plain'
    [[jobs.steps]]
    when = 2026-01-01 07:32:00
''')


def parse(text: str, **environ: str) -> TomlDocument:
    return parse_toml(text, file="jobs.toml", environ=environ)


def refusal(text: str) -> Invalid:
    with pytest.raises(Invalid) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("jobs",), 2),
        (("jobs", 0), 2),
        (("jobs", 0, "name"), 3),
        (("jobs", 0, "steps", 0), 5),
        (("jobs", 0, "steps", 0, "type"), 6),
        (("jobs", 1), 8),
        (("jobs", 1, "description"), 10),
        (("jobs", 1, "params"), 15),
        (("jobs", 1, "params", "odd.key"), 16),
        (("jobs", 1, "params", "window", "from"), 17),
        (("jobs", 1, "params", "window", "to", 0), 18),
        (("jobs", 1, "params", "window", "to", 1, "deep"), 19),
        (("jobs", 1, "steps", 0), 22),
        (("jobs", 1, "steps", 0, "retry"), 24),
        (("jobs", 1, "steps", 0, "retry", "attempts"), 24),
        (("jobs", 1, "steps", 0, "headers", "Accept"), 27),
        (("jobs", 1, "steps", 1), 28),
        (("jobs", 1, "steps", 1, "when"), 29),
    ],
)
def test_a_key_or_element_is_found_at_its_line(path: tuple[str | int, ...], line: int) -> None:
    assert parse(JOBS).line_of(path) == line


def test_a_missing_key_is_placed_at_the_table_that_lacks_it() -> None:
    document = parse(JOBS)
    assert document.line_of(("jobs", 1, "steps", 0, "url")) == 22
    assert document.line_of(("nothing", "here")) is None


_keys = st.from_regex(r"[a-zA-Z0-9_\-.\" é]{1,6}", fullmatch=True)
_scalars = (
    st.integers(-9, 9)
    | st.booleans()
    | st.sampled_from(['a "quoted" # text', "two\nlines", "[x]", "1.5", ""])
)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.dictionaries(_keys, _values, max_size=5))
def test_every_key_of_any_document_is_found_on_a_line_that_shows_it(data: dict[str, object]) -> None:
    text = tomlkit.dumps(data)
    document = parse(text)
    lines = text.split("\n")

    def check(value: object, path: tuple[str | int, ...]) -> None:
        if path and isinstance(path[-1], str):
            line = document.line_of(path)
            assert line is not None
            assert tomlkit.key(path[-1]).as_string().strip("\"'") in lines[line - 1]
        if isinstance(value, dict):
            for key, item in value.items():
                check(item, (*path, key))
        elif isinstance(value, list):
            for number, item in enumerate(value):
                check(item, (*path, number))

    check(document.data, ())


def test_a_syntax_error_names_file_and_line() -> None:
    error = refusal('a = 1\nb = "open\n')
    assert [(p.file, p.line) for p in error.problems] == [("jobs.toml", 2)]
    assert "at line" not in error.problems[0].message
    assert refusal("a = 1\nb = [1,\n").problems[0].line == 3


def test_half_a_character_is_an_error_of_its_line() -> None:
    assert refusal("a = 1\nb = '\ud800'").problems[0].line == 2


def test_a_number_too_long_to_read_is_an_error_of_the_file() -> None:
    assert "jobs.toml" in str(refusal("a = " + "9" * 5000))


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("x = 1\n" + ".".join("a" * 33) + " = 1", 2, "parts"),
        ("[" + " . ".join("a" * 33) + "]", 1, "parts"),
        ("x = { " + ".".join(["'a'"] * 33) + " = 1 }", 1, "parts"),
        ("\n\nx = " + "[" * 65 + "]" * 65, 3, "nested"),
        ("x = " + "{a=" * 65 + "1" + "}" * 65, 1, "nested"),
    ],
)
def test_text_beyond_the_limits_is_refused_before_it_is_parsed(text: str, line: int, word: str) -> None:
    problem = refusal(text).problems[0]
    assert (problem.line, word in problem.message) == (line, True)


def test_limits_do_not_count_what_stands_in_strings_and_comments() -> None:
    dots, brackets = "." * 100, "[{" * 100
    text = (
        f'# {dots}{brackets}\na = \'{dots}{brackets}\'\nb = "\\"{dots}{brackets}"\n'
        f'c = \'\'\'\n\'{brackets}\'\' {dots}\'\'\'\nd = """\\"{brackets}\n"" {dots}"""""\n'
        f"{'.'.join('k' * 32)} = {'[' * 64}{']' * 64}"
    )
    assert parse(text).data["a"] == dots + brackets


def test_text_of_more_than_a_mebibyte_is_refused(tmp_path: Path) -> None:
    large = "# " + "é" * (512 * 1024)
    assert "bytes" in refusal(large).problems[0].message
    (tmp_path / "large.toml").write_text(large)
    with pytest.raises(Invalid, match="more than 1048576 bytes"):
        read_toml(tmp_path / "large.toml", {})


@pytest.mark.parametrize(
    "unit", ['"', "'", '"""', "'''", "\\", '"\\', "[", "a.", "='", '="', "#", '""" "" ', "=\n"]
)
def test_hostile_text_of_the_largest_size_is_judged_in_linear_time(unit: str) -> None:
    text = "x = " + unit * (500_000 // len(unit))
    started = time.process_time()
    refusal(text)
    assert time.process_time() - started < 5


def test_the_environment_is_filled_into_values_at_every_depth() -> None:
    document = parse(
        'a = "${HOST}:${PORT:-80}"\nb = [{c = "${EMPTY:-x}"}]\n"${HOST}" = 1', HOST="db", EMPTY=""
    )
    assert document.data == {"a": "db:80", "b": [{"c": "x"}], "${HOST}": 1}
    assert document.raw["a"] == "${HOST}:${PORT:-80}"


def test_a_variable_cannot_add_keys() -> None:
    assert parse('a = "${EVIL}"', EVIL='"\nadmin = true\n').data == {"a": '"\nadmin = true\n'}


def test_a_value_of_a_variable_is_not_looked_into_again() -> None:
    assert parse('a = "${A}"', A="${B}", B="no").data == {"a": "${B}"}


def test_run_time_tokens_survive_loading() -> None:
    tokens = "${today} ${yesterday} ${now} ${env:X} ${env.X} ${params.x} ${kw:n} ${steps.a-b.rows} ${month.previous}"
    assert parse(f'a = "{tokens}"', today="no", now="no").data == {"a": tokens}


def test_an_unset_variable_is_empty_and_reported_with_its_line() -> None:
    document = parse('a = "x"\nb = ["${ABSENT}"]\nc = "${ABSENT_TOO:-}"')
    assert document.data["b"] == [""]
    assert document.unset == [("ABSENT", 2)]


def test_a_variable_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "value").write_text("from file\n")
    assert parse('a = "${NAME}"', NAME_FILE=str(tmp_path / "value")).data == {"a": "from file"}
    assert parse('a = "${NAME}"', NAME_FILE=str(tmp_path / "value"), NAME="direct").data == {"a": "direct"}
    with pytest.raises(Invalid, match="NAME_FILE"):
        parse('\na = "${NAME}"', NAME_FILE=str(tmp_path / "absent"))


def test_a_file_that_is_not_there_or_not_text_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"absent\.toml"):
        read_toml(tmp_path / "absent.toml", {})
    (tmp_path / "binary.toml").write_bytes(b"a = 1\nb = '\xff'\n")
    with pytest.raises(Invalid) as caught:
        read_toml(tmp_path / "binary.toml", {})
    assert caught.value.problems[0].line == 2
    with pytest.raises(Invalid, match="cannot be read"):
        read_toml(tmp_path, {})


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    (tmp_path / "windows.toml").write_bytes(b"\xef\xbb\xbfa = 1\r\nb = 2\r\n")
    document = read_toml(tmp_path / "windows.toml", {})
    assert (document.data, document.line_of(("b",))) == ({"a": 1, "b": 2}, 2)


def test_an_edit_keeps_comments_order_and_mode_and_the_text_before_it(tmp_path: Path) -> None:
    file = tmp_path / "jobs.toml"
    file.write_text(JOBS)
    file.chmod(0o640)
    changes = {
        ("jobs", 0, "name"): "renamed",
        ("jobs", 1, "params", "window"): REMOVE,
        ("jobs", 0, "params", "n"): 7,
    }
    new_hash = set_values(file, changes)
    document = read_toml(file, {})
    assert document.content_hash == new_hash
    assert document.data["jobs"][0] == {"name": "renamed", "steps": [{"type": "python"}], "params": {"n": 7}}
    assert "window" not in document.data["jobs"][1]["params"]
    assert document.text.startswith("# two jobs\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert (tmp_path / "jobs.toml.bak").read_text() == JOBS


def test_a_comment_behind_a_changed_value_stays(tmp_path: Path) -> None:
    file = tmp_path / "app.toml"
    file.write_text("[app]\nport = 8000  # the proxy expects it\n")
    set_values(file, {("app", "port"): 9000})
    assert file.read_text() == "[app]\nport = 9000  # the proxy expects it\n"


def test_a_first_table_may_be_written_into_a_file_that_does_not_exist(tmp_path: Path) -> None:
    file = tmp_path / "config" / "jobs.toml"
    set_values(
        file, {("jobs", 0): {"name": "first", "steps": [{"type": "python"}]}, ("jobs", 1, "name"): "second"}
    )
    assert [job["name"] for job in read_toml(file, {}).data["jobs"]] == ["first", "second"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in file.parent.iterdir()] == ["jobs.toml"]


def test_an_element_can_be_removed_and_a_missing_one_is_named(tmp_path: Path) -> None:
    file = tmp_path / "jobs.toml"
    file.write_text(JOBS)
    set_values(file, {("jobs", 0): REMOVE, ("absent", "key"): REMOVE})
    assert [job["name"] for job in read_toml(file, {}).data["jobs"]] == ["second"]
    for change in ({("jobs", 5): REMOVE}, {("jobs", 5, "name"): "x"}, {("jobs", 5): {"name": "x"}}):
        with pytest.raises(NotFound, match=r"jobs\.5"):
            set_values(file, change)


def test_an_edit_on_disk_since_the_form_was_opened_is_a_conflict(tmp_path: Path) -> None:
    file = tmp_path / "app.toml"
    file.write_text("a = 1\n")
    opened = read_toml(file, {}).content_hash
    file.write_text("a = 2\n")
    with pytest.raises(Conflict, match="changed since"):
        set_values(file, {("a",): 3}, expected_hash=opened)
    assert file.read_text() == "a = 2\n"
    set_values(file, {("a",): 3}, expected_hash=read_toml(file, {}).content_hash)
    assert file.read_text() == "a = 3\n"


def test_an_edit_that_would_break_the_file_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "app.toml"
    file.write_text("a = 1\n")

    def nest_too_deep(document: tomlkit.TOMLDocument) -> None:
        document["b"] = tomlkit.parse("x = " + "[" * 70 + "]" * 70)["x"]

    with pytest.raises(Invalid, match="nested"):
        edit_toml(file, nest_too_deep)
    assert file.read_text() == "a = 1\n"


def test_writing_replaces_a_planted_link_instead_of_following_it(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / "file.toml").symlink_to(victim)
    write_atomic(tmp_path / "file.toml", "a = 1\n")
    assert victim.read_text() == "untouched"
    assert not (tmp_path / "file.toml").is_symlink()


def test_a_write_that_fails_leaves_the_old_text_and_no_rubbish(tmp_path: Path) -> None:
    (tmp_path / "file.toml").mkdir()
    with pytest.raises(Unavailable, match=r"file\.toml"):
        write_atomic(tmp_path / "file.toml", "a = 1\n")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.toml"]


class _Retry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    attempts: int = 1


class _Step(BaseModel):
    model_config = ConfigDict(extra="forbid")
    type: str
    retry: _Retry | None = None


class _Job(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    steps: list[_Step] = []


def test_what_pydantic_finds_wrong_gets_line_key_and_the_nearest_known_name() -> None:
    document = parse(
        '[[jobs]]\nname = "x"\n\n[[jobs.steps]]\ntype = "a"\nretry = { atempts = 3 }\n[[jobs.steps]]\n'
    )
    with pytest.raises(ValidationError) as caught:
        _Job.model_validate(document.data["jobs"][0])
    problems = validation_problems(caught.value, document, at=("jobs", 0), model=_Job, job="x")
    assert [(p.line, p.key, p.job, p.message) for p in problems] == [
        (6, "steps[0].retry.atempts", "x", "unknown key 'atempts'; did you mean 'attempts'?"),
        (7, "steps[1].type", "x", "'type' is missing"),
    ]


def test_a_problem_never_shows_the_value_itself() -> None:
    document = parse('name = "x"\nsteps = "hunter2-in-the-wrong-place"\n')
    with pytest.raises(ValidationError) as caught:
        _Job.model_validate(document.data)
    (problem,) = validation_problems(caught.value, document, model=_Job)
    assert "hunter2" not in str(problem)
    assert (problem.line, problem.key) == (2, "steps")
