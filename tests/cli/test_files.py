"""The commands about files: init, schema, validate, crypto."""

import io
import json
import stat
from pathlib import Path

import pytest

from liberty.cli import exits
from liberty.cli.skeleton import FILES
from tests.cli.conftest import Cli


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


def test_what_init_lays_out_is_sound_and_runs(cli: Cli, apps: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = cli("init", "new")
    assert done.code == exits.OK, done.err
    assert "cd new" in done.out
    monkeypatch.chdir(apps / "new")
    assert cli("job", "validate").out == "ok: 1 job\n"
    assert list(Path().glob("data")) == []
    run = cli("job", "run", "hello", "--params", "name=Alice")
    assert run.code == exits.OK
    assert "hello, Alice" in run.out


def test_init_leaves_what_is_there(cli: Cli, empty: Path) -> None:
    (empty / "config").mkdir()
    (empty / "config" / "jobs.toml").write_text("# mine\n")
    answer = json.loads(cli("init", "--json").out)
    assert answer["kept"] == ["config/jobs.toml"]
    assert (empty / "config" / "jobs.toml").read_text() == "# mine\n"
    again = json.loads(cli("init", "--json").out)
    assert sorted(again["kept"]) == sorted(FILES)


def test_a_file_names_the_schema_that_lies_beside_it(cli: Cli, empty: Path) -> None:
    cli("init")
    for name in ("jobs.toml", "connectors.toml"):
        mark, _, schema = (empty / "config" / name).read_text().splitlines()[0].partition(" ")
        assert mark == "#:schema"
        assert json.loads((empty / "config" / schema).read_text())["$schema"].startswith(
            "https://json-schema.org/"
        )


def test_init_says_what_it_cannot_write(cli: Cli, empty: Path) -> None:
    (empty / "config").write_text("a file where a folder should be")
    done = cli("init")
    assert done.code == exits.INVALID
    assert "cannot lay out" in done.err


def test_schemas_are_written_where_one_says(cli: Cli, empty: Path) -> None:
    assert cli("schema", "there").code == exits.OK
    assert sorted(path.name for path in (empty / "there").iterdir()) == [
        "connectors.schema.json",
        "jobs.schema.json",
    ]


def broken(apps: Path) -> Path:
    file = apps / "config" / "jobs.toml"
    file.write_text(
        '[[jobs]]\nname = "a"\nschedul = "@daily"\nsteps = [{ type = "sql_query", connector = "crm", query = "x" }]\n'
    )
    return file


@pytest.mark.parametrize("words", [(), (".",), ("config",), ("config/jobs.toml",)])
def test_problems_have_their_place(words: tuple[str, ...], cli: Cli, apps: Path) -> None:
    broken(apps)
    done = cli("job", "validate", *words)
    assert done.code == exits.INVALID
    assert "jobs.toml:3: a: schedul: unknown key 'schedul'; did you mean 'schedule'?" in done.out
    assert not (apps / "data").exists()


def test_problems_for_programs(cli: Cli, apps: Path) -> None:
    broken(apps)
    done = cli("job", "validate", "--json")
    found = json.loads(done.out)
    assert (done.code, found["ok"], found["problems"][0]["line"]) == (exits.INVALID, False, 3)


def test_names_that_no_file_defines(cli: Cli, apps: Path) -> None:
    (apps / "config" / "jobs.toml").write_text(
        '[[jobs]]\nname = "a"\nsteps = [{ type = "sql_query", connector = "crm", query = "select 1" }]\n'
    )
    assert "'crm'" in cli("job", "validate").out
    (apps / "config" / "connectors.toml").write_text(
        '[pools.crm]\nurl = "sqlite+aiosqlite:///crm.db"\n[connectors.crm]\ntype = "sql"\npool = "crm"\n'
    )
    assert cli("job", "validate").out == "ok: 1 job\n"
    assert cli("job", "validate", "config/connectors.toml").code == exits.OK


def test_a_plugin_s_file_knows_the_jobs_of_the_others(cli: Cli, apps: Path) -> None:
    folder = apps / "plugins" / "reports"
    folder.mkdir()
    (folder / "jobs.toml").write_text(
        '[[jobs]]\nname = "after"\ndepends_on = ["greet"]\nsteps = [{ type = "python", callable = "x:y" }]\n'
    )
    assert cli("job", "validate", "plugins/reports/jobs.toml").out == "ok: 1 job\n"
    (folder / "jobs.toml").write_text(
        '[[jobs]]\nname = "greet"\nsteps = [{ type = "python", callable = "x:y" }]\n'
    )
    assert "2 jobs are called 'greet'" in cli("job", "validate").out


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("jobs.toml", "[[jobs\n", "jobs.toml:1"),
        ("app.toml", "[app]\nprot = 1\n", "did you mean 'port'"),
        ("connectors.toml", "[pools.x]\nurll = 1\n", "did you mean 'url'"),
    ],
)
def test_each_kind_of_file_is_checked(name: str, text: str, said: str, cli: Cli, apps: Path) -> None:
    (apps / "config" / name).write_text(text)
    done = cli("job", "validate", f"config/{name}")
    assert done.code == exits.INVALID
    assert said in done.out


def test_nothing_to_validate(cli: Cli, empty: Path) -> None:
    assert cli("job", "validate", "nowhere").code == exits.NOT_FOUND


def test_a_value_comes_back_from_its_encryption(
    cli: Cli, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIBERTY_MASTER_KEY", cli("crypto", "genkey").out.strip())
    sealed = cli("crypto", "encrypt", "a text").out.strip()
    assert sealed.startswith("ENC:")
    assert cli("crypto", "decrypt", sealed).out == "a text\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{sealed}\n"))
    assert json.loads(cli("crypto", "decrypt", "--json").out) == {"text": "a text"}
    assert not (empty / "liberty-data").exists()


def test_without_a_key_one_is_made_that_only_its_owner_reads(
    cli: Cli, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("from a pipe\n"))
    sealed = cli("crypto", "encrypt").out.strip()
    assert cli("crypto", "decrypt", sealed).out == "from a pipe\n"
    key = empty / "liberty-data" / "master.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("decrypt", "no prefix"), "begins with ENC:"),
        (("decrypt", "ENC:AAAA"), "needs a key"),
        (("encrypt", ""), "nothing to encrypt"),
    ],
)
def test_what_cannot_be_encrypted_or_decrypted(
    words: tuple[str, ...], said: str, cli: Cli, empty: Path
) -> None:
    done = cli("crypto", *words)
    assert (done.code, done.out) == (exits.INVALID, "")
    assert said in done.err
