"""The catalogue: which files are read, what a mistake in one does to the others, and how it is told."""

import json
import random
from pathlib import Path

import pytest

from liberty.connectors import ConnectorRegistry
from liberty.errors import Conflict, Invalid, NotFound, Problem
from liberty.jobs.catalogue import (
    BUILTIN,
    MAX_JOBS,
    Catalogue,
    JobSource,
    catalogue_of,
    job_sources,
    load_catalogue,
    validate_text,
)
from liberty.jobs.definition import definition_json
from liberty.jobs.references import check_references
from liberty.jobs.schema import jobs_schema, write_schemas
from liberty.jobs.steps import STEP_TYPES
from liberty.settings import load_settings
from liberty.toml_files import parse_toml

STEP = '[[jobs.steps]]\ntype = "python"\ncallable = "m:f"\n'


def a_job(name: str, *lines: str) -> str:
    return "\n".join(["[[jobs]]", f'name = "{name}"', *lines, STEP])


def read(text: str, environ: dict[str, str] | None = None, *, app: str = "_default") -> Catalogue:
    document = parse_toml(text, file="jobs.toml", environ=environ or {})
    return catalogue_of([(document, JobSource(Path("jobs.toml"), app))])


def only(catalogue: Catalogue, name: str) -> Problem:
    (problem,) = catalogue.quarantined[name].problems
    return problem


# -- places


def test_jobs_come_from_all_documented_places(tmp_path: Path) -> None:
    places = {
        "config": "from-config",
        "plugins/crm": "from-crm",
        "plugins/nomaflow": "from-nomaflow",
        "plugins/.hidden": "from-hidden",
    }
    for folder, name in places.items():
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "jobs.toml").write_text(a_job(name))
    settings = load_settings({"LIBERTY_APPS_DIR": str(tmp_path / "config")}, cwd=tmp_path)
    catalogue = load_catalogue(job_sources(settings), {})
    assert {name: job.app for name, job in catalogue.jobs.items()} == {
        "_default/cleanup-job-history": "_default",
        "from-config": "_default",
        "from-crm": "crm",
        "from-nomaflow": "_default",
    }
    assert catalogue.get("from-crm").origin.line == 1


def test_an_empty_folder_has_the_shipped_jobs(tmp_path: Path) -> None:
    catalogue = load_catalogue(job_sources(load_settings({}, cwd=tmp_path)), {})
    assert list(catalogue.jobs) == ["_default/cleanup-job-history"]
    assert catalogue.get("_internal-prune-runs").schedule == "0 3 * * *"
    assert not catalogue.problems


# -- mistakes


def test_a_bad_job_is_quarantined_and_the_others_load() -> None:
    catalogue = read(a_job("good") + a_job("bad", 'shedule = "@daily"') + a_job("also-good"))
    assert list(catalogue.jobs) == ["also-good", "good"]
    problem = only(catalogue, "bad")
    assert (problem.file, problem.line, problem.job, problem.key) == ("jobs.toml", 8, "bad", "shedule")
    assert "did you mean 'schedule'" in problem.message
    with pytest.raises(Conflict, match="quarantined") as caught:
        catalogue.get("BAD")
    assert caught.value.details["problems"][0]["line"] == 8
    assert catalogue.problems == [problem]


def test_the_line_is_that_of_the_key_as_it_was_written() -> None:
    text = '[[jobs]]\nid = "a"\n[jobs.retry]\nmax_attempts = 0\n' + STEP + "kwargs = 3\n"
    found = {problem.key: problem.line for problem in read(text).quarantined["a"].problems}
    assert found == {"retry.max_attempts": 4, "steps[0].kwargs": 8}


def test_a_job_without_a_usable_name_is_listed_by_its_place() -> None:
    catalogue = read(a_job("good") + a_job("_default/cleanup-job-history") + "[[jobs]]\n" + STEP)
    assert list(catalogue.quarantined) == ["jobs.toml#2", "jobs.toml#3"]


def test_no_file_can_take_the_name_of_a_shipped_job_away(tmp_path: Path) -> None:
    file = tmp_path / "jobs.toml"
    file.write_text(a_job("_default/cleanup-job-history"))
    catalogue = load_catalogue([JobSource(BUILTIN, builtin=True), JobSource(file)], {})
    assert "_default/cleanup-job-history" in catalogue.jobs


def test_two_jobs_of_one_name_name_both_places(tmp_path: Path) -> None:
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text(a_job("other") + a_job("Same"))
    two.write_text(a_job("same"))
    catalogue = load_catalogue([JobSource(one), JobSource(two, "crm")], {})
    assert list(catalogue.jobs) == ["other"]
    message = catalogue.quarantined["Same"].problems[0].message
    assert f"{one}:6" in message
    assert f"{two}:1" in message


def test_unknown_dependency_names_the_chain_and_the_nearest() -> None:
    problem = only(read(a_job("billing") + a_job("close", 'depends_on = ["biling"]')), "close")
    assert "close -> biling" in problem.message
    assert "did you mean 'billing'" in problem.message
    assert problem.line == 8


def test_a_circle_names_its_chain_and_spares_the_rest() -> None:
    text = (
        a_job("a", 'depends_on = ["b"]')
        + a_job("b", 'depends_on = ["C"]')
        + a_job("c", 'depends_on = ["a"]')
        + a_job("d", 'depends_on = ["a"]')
        + a_job("self", 'depends_on = ["self"]')
    )
    catalogue = read(text)
    assert list(catalogue.jobs) == ["d"]
    assert "circular depends_on: a -> b -> c -> a" in only(catalogue, "b").message
    assert "self -> self" in only(catalogue, "self").message


def test_a_long_chain_is_no_circle() -> None:
    text = a_job("j0") + "".join(a_job(f"j{n}", f'depends_on = ["J{n - 1}"]') for n in range(1, 1500))
    catalogue = read(text)
    assert len(catalogue.jobs) == 1500
    assert catalogue.jobs["j9"].depends_on == ("j8",)


def test_unknown_target_of_call_job() -> None:
    text = '[[jobs]]\nname = "a"\n[[jobs.steps]]\ntype = "call_job"\ntarget_job = "bb"\n' + a_job("bbb")
    problem = only(read(text), "a")
    assert (problem.line, problem.key) == (5, "steps[0].target_job")
    assert "did you mean 'bbb'" in problem.message


def test_too_many_jobs_are_refused() -> None:
    with pytest.raises(Invalid, match="more than 2000"):
        read("".join(f'[[jobs]]\nname="j{n}"\n' for n in range(MAX_JOBS + 1)))


@pytest.mark.parametrize("text", ["[[jobs]", "[jobs]\nname = 'a'", "jobs = 3", "jobs = [3]"])
def test_a_file_of_the_wrong_shape_is_refused_as_a_whole(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(text)
    assert caught.value.problems[0].file == "jobs.toml"
    assert caught.value.problems[0].line


def test_unknown_tables_are_told_and_hurt_nobody() -> None:
    catalogue = read("[meta]\nversion = 1\nretension = {}\n[job]\nx = 1\n" + a_job("a"))
    assert list(catalogue.jobs) == ["a"]
    assert [(problem.key, problem.line) for problem in catalogue.problems] == [
        ("meta.retension", 3),
        ("job", 4),
    ]


def test_validate_text_lists_everything_and_never_raises() -> None:
    assert validate_text(a_job("a"), {}) == []
    assert [problem.key for problem in validate_text(a_job("a", "x = 1", "y = 2"), {})] == ["x", "y"]
    assert validate_text("[[jobs", {})[0].line == 1
    others = read(a_job("base"))
    assert validate_text(a_job("a", 'depends_on = ["base"]'), {}, others=others) == []


# -- the environment


def test_structure_is_filled_at_load_and_values_when_they_run() -> None:
    text = (
        '[[jobs]]\nname = "a"\nschedule = "${WHEN}"\nenabled = "${ON:-true}"\nparams = { key = "${KEY}" }\n'
    )
    text += '[[jobs.steps]]\ntype = "http"\nurl = "${BASE}/x"\ntimeout_seconds = "${LIMIT}"\n'
    job = read(text, {"WHEN": "@daily", "KEY": "not-stored", "BASE": "http://not-stored", "LIMIT": "9"}).get(
        "a"
    )
    assert (job.schedule, job.enabled, job.steps[0].timeout_seconds) == ("@daily", True, 9)
    assert job.params == {"key": "${KEY}"}
    assert "not-stored" not in definition_json(job)


def test_a_variable_without_value_is_a_warning() -> None:
    catalogue = read(a_job("a", 'description = "${NOWHERE}"', 'params = { day = "${today}" }'))
    assert [(warning.line, "NOWHERE" in warning.message) for warning in catalogue.warnings] == [(3, True)]
    assert not catalogue.problems


# -- names


def test_names_are_found_without_case_and_missed_with_the_nearest() -> None:
    catalogue = read(a_job("Flights-Nightly"))
    assert catalogue.get("flights-nightly").name == "Flights-Nightly"
    assert "FLIGHTS-NIGHTLY" in catalogue
    with pytest.raises(NotFound, match="did you mean 'Flights-Nightly'"):
        catalogue.get("flights-nighly")


# -- references


@pytest.fixture
def registry() -> ConnectorRegistry:
    return ConnectorRegistry(
        {
            "pools": {"main": {"url": "sqlite+aiosqlite://"}, "spare": {"url": "sqlite+aiosqlite://"}},
            "connectors": {
                "ops": {"type": "sql", "pool": "main", "queries": [{"name": "totals", "sql": "select 1"}]},
                "crm": {"type": "api", "base_url": "https://example.org", "endpoints": [{"name": "list"}]},
            },
        }
    )


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ('type = "sql_query"\nconnector = "ops"\nquery = "totals:write"', None),
        ('type = "sql_query"\nconnector = "main"\nquery = "select 1"', None),
        ('type = "sql_query"\nconnector = "${env:C}"\nquery = "anything"', None),
        (
            'type = "sql_query"\nconnector = "opps"\nquery = "totals"',
            ("steps[0].connector", "did you mean 'ops'"),
        ),
        ('type = "sql_query"\nconnector = "crm"\nquery = "totals"', ("steps[0].connector", "is an API")),
        (
            'type = "sql_query"\nconnector = "ops"\nquery = "total"',
            ("steps[0].query", "did you mean 'totals'"),
        ),
        (
            'type = "sql_query"\nconnector = "ops"\nquery = "totals"\npool = "spare"',
            ("steps[0].pool", "not 'spare'"),
        ),
        (
            'type = "sql_copy"\nsource = { connector = "ops", table = "t" }\ntarget = { connector = "x", table = "t" }',
            ("steps[0].target.connector", "no connector 'x'"),
        ),
        ('type = "http"\nconnector = "crm"\nendpoint = "list"', None),
        (
            'type = "http"\nconnector = "crm"\nendpoint = "lists"',
            ("steps[0].endpoint", "did you mean 'list'"),
        ),
        ('type = "http"\nconnector = "ops"\nendpoint = "list"', ("steps[0].connector", "is a database")),
        ('type = "http"\nurl = "https://example.org"', None),
    ],
)
def test_references(registry: ConnectorRegistry, step: str, expected: tuple[str, str] | None) -> None:
    catalogue = read(f'[[jobs]]\nname = "a"\n[[jobs.steps]]\n{step}\n')
    problems = check_references(catalogue.get("a"), registry)
    if expected is None:
        assert problems == []
    else:
        (problem,) = problems
        assert problem.key == expected[0]
        assert expected[1] in problem.message


def test_quarantine_moves_jobs_and_keeps_the_rest() -> None:
    catalogue = read(a_job("a") + a_job("b"))
    after = catalogue.quarantine({"a": [Problem("no connector 'x'", job="a")]})
    assert (list(after.jobs), list(after.quarantined), list(catalogue.jobs)) == (["b"], ["a"], ["a", "b"])
    assert after.quarantined["a"].raw["name"] == "a"
    assert catalogue.quarantine({}) is catalogue


# -- bad input of every kind


def test_mutated_files_are_either_read_or_refused() -> None:
    text = a_job("first", 'schedule = "0 2 * * *"', 'params = { period = "${month.previous}" }') + (
        '[[jobs]]\nname = "second"\ndepends_on = ["first"]\n[jobs.retry]\nattempts = 3\n[[jobs.steps]]\n'
        'type = "sql_copy"\nsource = { connector = "a", table = "t" }\ntarget = { connector = "b", table = "t" }\n'
    )
    chance = random.Random(20260301)
    whole, refused = 0, []
    for _ in range(500):
        mutated = list(text)
        for _ in range(chance.randint(1, 6)):
            place = chance.randrange(len(mutated))
            action = chance.choice(["drop", "double", "replace"])
            if action == "drop":
                del mutated[place]
            elif action == "double":
                mutated.insert(place, mutated[place])
            else:
                mutated[place] = chance.choice('[]{}="\n.#,0x${}é\\')
        try:
            read("".join(mutated))
        except Invalid as error:
            refused.append(error.problems)
        else:
            whole += 1
    assert whole > 20
    assert len(refused) > 20
    assert all(refused)


# -- schemas


def test_schema_describes_every_step_type_and_spelling(tmp_path: Path) -> None:
    schema = jobs_schema()
    job = schema["$defs"]["Job"]
    assert {item["$ref"].rpartition("/")[2] for item in job["properties"]["steps"]["items"]["oneOf"]} == set(
        STEP_TYPES
    )
    assert {"name", "id", "depends_on", "dependencies", "step_defaults"} <= set(job["properties"])
    assert not {"origin", "param_specs"} & set(job["properties"])
    assert "batch_size" in schema["$defs"]["sql_copy"]["properties"]
    assert schema["$defs"]["sql_query"]["properties"]["type"]["const"] == "sql_query"
    for kind in STEP_TYPES:
        for key, value in schema["$defs"][kind]["properties"].items():
            assert value.get("description") is not None, f"{kind}.{key} has no description"
    written = write_schemas(tmp_path / "schemas")
    assert [path.name for path in written] == ["jobs.schema.json", "connectors.schema.json"]
    assert all(json.loads(path.read_text())["$schema"] for path in written)


COPY = """[[jobs]]
name = "load"
[[jobs.steps]]
type = "sql_copy"
name = "copy"
source = {connector = "a", table = "t"}
target = {connector = "b", table = "t"}
"""
FROM_FILE = COPY.replace('{connector = "a", table = "t"}', '{file = "file:///data/x.csv"}')


@pytest.mark.parametrize(
    "text, line, key, told",
    [
        (
            FROM_FILE.replace("file =", "fiel ="),
            6,
            "steps[0].source.fiel",
            "unknown key 'fiel'; did you mean 'file'?",
        ),
        (
            FROM_FILE.replace('csv"', 'csv", delimeter = ";"'),
            6,
            "steps[0].source.delimeter",
            "unknown key 'delimeter'; did you mean 'delimiter'?",
        ),
        (
            FROM_FILE.replace('csv"', 'csv", columns = {id = "integer"}'),
            6,
            "steps[0].source.columns.id",
            "'int'",
        ),
        (FROM_FILE.replace('csv"', 'csv", form = "xls"'), 6, "steps[0].source.form", "'csv' or 'parquet'"),
        (
            COPY.replace('"b",', '"b", encodng = "x",'),
            7,
            "steps[0].target.encodng",
            "did you mean 'encoding'",
        ),
        (COPY + 'transform_mod = "arrow"\n', 8, "steps[0].transform_mod", "did you mean 'transform_mode'"),
        (
            COPY + 'transform = "m:f"\ntransform_mode = "batch"\n',
            9,
            "steps[0].transform_mode",
            "'row' or 'arrow'",
        ),
        (
            COPY.replace('table = "t"}\ntarget', 'table = "t", null = "x"}\ntarget'),
            6,
            "steps[0].source",
            "'file'",
        ),
    ],
)
def test_a_wrong_key_of_a_copy_is_told_with_its_place(text: str, line: int, key: str, told: str) -> None:
    problem = only(read(text), "load")
    assert (problem.file, problem.line, problem.job, problem.key) == ("jobs.toml", line, "load", key)
    assert told in problem.message


def test_the_schema_describes_both_sides_of_a_copy() -> None:
    definitions = jobs_schema()["$defs"]
    for side in ("CopySource", "CopyTarget"):
        assert {
            "connector",
            "schema",
            "table",
            "pool",
            "file",
            "form",
            "delimiter",
            "encoding",
            "null",
        } <= set(definitions[side]["properties"])
        for key, value in definitions[side]["properties"].items():
            assert value.get("description"), f"{side}.{key} has no description"
    assert {"query", "params", "columns"} <= set(definitions["CopySource"]["properties"])


def test_a_file_outside_the_open_folders_is_told_at_load(tmp_path: Path) -> None:
    (tmp_path / "app.toml").write_text('[jobs]\nfile_folders = ["/data"]\n')
    settings = load_settings({"LIBERTY_APP_CONFIG": str(tmp_path / "app.toml")}, cwd=tmp_path)
    registry = ConnectorRegistry({"pools": {"b": {"url": "sqlite://"}}}, settings=settings)
    (inside,) = read(FROM_FILE).jobs.values()
    assert check_references(inside, registry) == []
    (outside,) = read(FROM_FILE.replace("/data/", "/etc/")).jobs.values()
    (problem,) = check_references(outside, registry)
    assert problem.key == "steps[0].source.file"
    assert "[jobs] file_folders" in problem.message


def test_every_reference_in_the_schema_resolves() -> None:
    schema = jobs_schema()

    def references(value: object) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [found for item in value.values() for found in references(item)]
        return [found for item in value for found in references(item)] if isinstance(value, list) else []

    assert {reference.removeprefix("#/$defs/") for reference in references(schema)} <= set(schema["$defs"])
