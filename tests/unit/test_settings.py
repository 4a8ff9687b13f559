"""Where configuration comes from, what wins, and what is said about mistakes."""

import stat
from pathlib import Path

import pytest

from liberty.errors import Invalid
from liberty.secrets import Keyring
from liberty.settings import Settings, absolute_sqlite_url, ensure_data_dir, load_settings, masked_url


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def load(cwd: Path, **environ: str) -> Settings:
    return load_settings(environ, cwd=cwd)


def problems_of(cwd: Path, text: str, **environ: str) -> list[str]:
    write(cwd / "config" / "app.toml", text)
    with pytest.raises(Invalid) as caught:
        load(cwd, **environ)
    return [str(problem).removeprefix(f"{cwd}/") for problem in caught.value.problems]


def test_an_empty_directory_gives_a_closed_server_with_a_database_of_its_own(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert (settings.app.host, settings.app.port, settings.app.log_level) == ("127.0.0.1", 8000, "INFO")
    assert settings.paths.data_dir == tmp_path / "liberty-data"
    assert settings.paths.config_dir is None
    assert settings.paths.new_config_dir == tmp_path / "config"
    assert settings.paths.plugins_dir == tmp_path / "plugins"
    assert settings.default_pool_url == f"sqlite+aiosqlite:///{tmp_path}/liberty-data/liberty.db"
    assert (settings.connectors.config_path, settings.jobs.config_path) == (None, None)
    assert settings.jobs.drain_seconds == 30
    assert settings.jobs.history_days == 90
    assert settings.security.http_private == "allow"
    assert not list(tmp_path.iterdir())


def test_the_apps_repo_of_the_environment_is_used(tmp_path: Path) -> None:
    write(tmp_path / "apps/config/app.toml", '[app]\nname = "Corp"\n')
    settings = load(tmp_path / "elsewhere", LIBERTY_APPS_DIR=str(tmp_path / "elsewhere/../apps/config"))
    assert settings.app.name == "Corp"
    assert settings.paths.app_config == tmp_path / "apps/config/app.toml"
    assert settings.paths.config_dir == tmp_path / "apps/config"
    assert settings.paths.plugins_dir == tmp_path / "apps/plugins"
    assert settings.paths.data_dir == tmp_path / "apps/data"
    assert settings.connectors.config_path == tmp_path / "apps/config/connectors.toml"
    assert settings.jobs.config_path == tmp_path / "apps/config/jobs.toml"
    assert settings.warnings == ()


def test_the_order_of_app_files(tmp_path: Path) -> None:
    write(tmp_path / "config/app.toml", '[app]\nname = "here"\n')
    assert load(tmp_path).app.name == "here"
    apps_dir = str(tmp_path / "apps/config")
    write(tmp_path / "apps/config/jobs.toml", "")
    assert load(tmp_path, LIBERTY_APPS_DIR=apps_dir).app.name == "here"
    write(tmp_path / "apps/config/app.toml", '[app]\nname = "apps"\n')
    assert load(tmp_path, LIBERTY_APPS_DIR=apps_dir).app.name == "apps"
    assert load_settings({}, cwd=tmp_path, apps_dir=Path("apps/config")).app.name == "apps"
    named = write(tmp_path / "named.toml", '[app]\nname = "named"\n')
    settings = load(tmp_path, LIBERTY_APPS_DIR=apps_dir, LIBERTY_APP_CONFIG=str(named))
    assert (settings.app.name, str(settings.paths.config_dir)) == ("named", apps_dir)


def test_an_app_file_that_was_named_and_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"LIBERTY_APP_CONFIG names .*gone\.toml"):
        load(tmp_path, LIBERTY_APP_CONFIG="gone.toml")


def test_apps_dir_of_the_file_counts_only_without_the_variable(tmp_path: Path) -> None:
    write(tmp_path / "config/app.toml", '[app]\napps_dir = "../apps/config"\n')
    write(tmp_path / "apps/config/jobs.toml", "")
    write(tmp_path / "other/config/jobs.toml", "")
    assert load(tmp_path).paths.plugins_dir == tmp_path / "apps/plugins"
    other = load(tmp_path, LIBERTY_APPS_DIR=str(tmp_path / "other/config"))
    assert other.paths.plugins_dir == tmp_path / "other/plugins"


def test_a_config_folder_made_later_does_not_move_the_data(tmp_path: Path) -> None:
    write(tmp_path / "config/jobs.toml", "")
    assert load(tmp_path).paths.data_dir == tmp_path / "data"
    (tmp_path / "liberty-data").mkdir()
    assert load(tmp_path).paths.data_dir == tmp_path / "liberty-data"
    assert load(tmp_path, LIBERTY_DATA_DIR="mine").paths.data_dir == tmp_path / "mine"


@pytest.mark.parametrize("wrong", ["apps", "apps/plugins", "apps/absent"])
def test_an_apps_dir_that_is_probably_not_meant_is_warned_about(tmp_path: Path, wrong: str) -> None:
    write(tmp_path / "apps/config/jobs.toml", "")
    write(tmp_path / "apps/plugins/reports/__init__.py", "")
    (warning,) = load(tmp_path, LIBERTY_APPS_DIR=str(tmp_path / wrong)).warnings
    assert str(tmp_path / "apps/config") in warning.message or "does not exist" in warning.message


def test_the_environment_stands_above_the_file_and_the_command_line_above_both(tmp_path: Path) -> None:
    text = '[app]\nport = "${MY_PORT:-1}"\nlog_level = "debug"\n[jobs]\nscheduler_enabled = true\nhistory_days = 10\n'
    write(tmp_path / "config/app.toml", text)
    assert load(tmp_path).app.port == 1
    assert load(tmp_path, MY_PORT="2").app.port == 2
    environ = {
        "PORT": "3",
        "HOST": "0.0.0.0",
        "LIBERTY_LOG_LEVEL": "warning",
        "LIBERTY_LOG_JSON": "1",
        "LIBERTY_JOBS_SCHEDULER_ENABLED": "false",
        "LIBERTY_RUN_HISTORY_DAYS": "30",
        "LIBERTY_DEBUG_CONFIG": "1",
    }
    settings = load_settings(environ, cwd=tmp_path, overrides={"app": {"port": 4}})
    assert (settings.app.port, settings.app.host, settings.app.log_level) == (4, "0.0.0.0", "WARNING")
    assert (settings.app.log_format, settings.debug_config) == ("json", True)
    assert (settings.jobs.scheduler_enabled, settings.jobs.history_days) == (False, 30)
    assert load(tmp_path, LIBERTY_SCHEDULER_ENABLED="0").jobs.scheduler_enabled is False
    assert settings.environ["PORT"] == "3"


def test_the_default_pool_is_the_files_then_the_variables_then_sqlite(tmp_path: Path) -> None:
    assert (
        load(tmp_path, LIBERTY_DB_URL="postgresql+asyncpg://db/x").default_pool_url
        == "postgresql+asyncpg://db/x"
    )
    write(tmp_path / "config/app.toml", '[default_pool]\nurl = "sqlite+aiosqlite:///own.db"\npool_size = 3\n')
    settings = load(tmp_path, LIBERTY_DB_URL="postgresql+asyncpg://db/x")
    assert settings.default_pool_url == f"sqlite+aiosqlite:///{tmp_path}/own.db"
    assert settings.default_pool["pool_size"] == 3


def test_every_mistake_is_named_with_line_key_and_nearest_name(tmp_path: Path) -> None:
    text = (
        '[app]\nprot = 1\nport = 70000\n[jobs]\nhistory_days = 0\n[securty]\n[plugins]\nreload = "always"\n'
    )
    assert problems_of(tmp_path, text) == [
        "config/app.toml:6: key 'securty': unknown section 'securty'; did you mean 'security'?",
        "config/app.toml:3: key 'app.port': input should be less than or equal to 65535",
        "config/app.toml:2: key 'app.prot': unknown key 'prot'; did you mean 'port'?",
        "config/app.toml:5: key 'jobs.history_days': input should be greater than or equal to 1",
        "config/app.toml:8: key 'plugins.reload': input should be 'auto' or 'restart'",
    ]


def test_mistakes_in_the_environment_name_the_variable(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, "[app]\nport = 1\n", PORT="http")
    assert problem.startswith("environment variable PORT: key 'app.port': input should be a valid integer")
    with pytest.raises(Invalid, match=r"command line: key 'app\.port'"):
        load_settings({"PORT": "1"}, cwd=tmp_path, overrides={"app": {"port": -1}})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("jobs = 1", "write [jobs]"),
        ('[app]\ntimezone = "Europe/Pariss"', "no time zone 'Europe/Pariss'"),
        ('[security]\nhttp_allow = ["http://x:80/"]', "host:port"),
        ("[app]\nwatch_config = true\nhot_reload = false", "mean the same"),
        ("[default_pool]\nurl = 5", "postgresql+asyncpg://"),
        ("[app", "not valid TOML"),
    ],
)
def test_a_wrong_value_is_explained(tmp_path: Path, text: str, said: str) -> None:
    (problem,) = problems_of(tmp_path, text)
    assert said in problem
    assert problem.startswith("config/app.toml")


def test_hot_reload_is_read_as_watch_config(tmp_path: Path) -> None:
    write(tmp_path / "config/app.toml", "[app]\nhot_reload = true\n")
    assert load(tmp_path).app.watch_config is True


def test_sections_of_other_parts_are_accepted_and_unknown_ones_reported(tmp_path: Path) -> None:
    text = '[hooks]\na = 1\n[screens]\nconfig_path = "x"\n[auth]\nbackend = "toml"\n[mine]\nb = "${ABSENT}"\n'
    write(tmp_path / "config/app.toml", text)
    assert [(w.line, w.message.split(" ")[-1]) for w in load(tmp_path).warnings] == [(8, "''"), (7, "here")]


@pytest.mark.parametrize("written", ["config/pools.toml", "pools.toml"])
def test_a_config_path_may_start_at_the_repo_or_at_the_folder_of_the_file(
    tmp_path: Path, written: str
) -> None:
    write(tmp_path / "config/pools.toml", "")
    write(tmp_path / "config/app.toml", f'[connectors]\nconfig_path = "{written}"\n')
    assert load(tmp_path).connectors.config_path == tmp_path / "config/pools.toml"


def test_lists_may_be_one_text_with_commas(tmp_path: Path) -> None:
    write(tmp_path / "config/app.toml", '[security]\nhttp_allow = "${ALLOW:-127.0.0.1:8000, [::1]:80}"\n')
    assert load(tmp_path).security.http_allow == ("127.0.0.1:8000", "[::1]:80")


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = load(tmp_path)
    with pytest.raises(AttributeError):
        settings.app = settings.app  # type: ignore[misc]  # the point of the test
    with pytest.raises(ValueError, match="frozen"):
        settings.app.port = 1  # type: ignore[misc]  # the point of the test
    with pytest.raises(TypeError):
        settings.environ["A"] = "b"  # type: ignore[index]  # the point of the test


def test_what_is_described_and_printed_shows_no_secret(tmp_path: Path) -> None:
    text = (
        '[crypto]\nmaster_key = "unlikely-master"\n[default_pool]\n'
        'url = "postgresql+asyncpg://bob:unlikely-one@db/x?password=unlikely-two"\npassword = "unlikely-three"\n'
    )
    write(tmp_path / "config/app.toml", text)
    settings = load(tmp_path, SOME_TOKEN="unlikely-four")
    assert "unlikely" not in f"{settings.describe()} {settings!r}"
    assert settings.describe()["default_pool"]["url"] == "postgresql+asyncpg://bob:***@db/x"
    assert settings.describe()["crypto"] == {"keys": 1}


def test_the_keyring_knows_the_keys_of_environment_and_file(tmp_path: Path) -> None:
    write(tmp_path / "config/app.toml", '[crypto]\nmaster_key = "key of the file"\nlegacy_keys = "a, b"\n')
    keyring = load(tmp_path, LIBERTY_MASTER_KEY="key of the environment").open_keyring()
    assert Keyring(["key of the environment"]).decrypt(keyring.encrypt("text")) == "text"
    for key in ("key of the file", "a", "b"):
        assert keyring.decrypt(Keyring([key]).encrypt("text")) == "text"


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_data_folder_and_its_database_are_private(tmp_path: Path) -> None:
    folder = ensure_data_dir(load(tmp_path))
    assert (mode_of(folder), mode_of(folder / "liberty.db")) == (0o700, 0o600)
    folder.chmod(0o755)
    ensure_data_dir(load(tmp_path))
    assert mode_of(folder) == 0o700


def test_a_data_folder_that_holds_other_things_keeps_its_mode(tmp_path: Path) -> None:
    write(tmp_path / "shared/report.csv", "").parent.chmod(0o755)
    folder = ensure_data_dir(
        load(tmp_path, LIBERTY_DATA_DIR="shared", LIBERTY_DB_URL="postgresql+asyncpg://db/x")
    )
    assert mode_of(folder) == 0o755
    assert [entry.name for entry in folder.iterdir()] == ["report.csv"]


def test_a_data_folder_that_cannot_be_one_is_explained(tmp_path: Path) -> None:
    write(tmp_path / "file", "")
    with pytest.raises(Invalid, match="not a folder"):
        ensure_data_dir(load(tmp_path, LIBERTY_DATA_DIR="file"))
    with pytest.raises(Invalid, match="LIBERTY_DATA_DIR"):
        ensure_data_dir(load(tmp_path, LIBERTY_DATA_DIR="file/below"))


def test_a_database_planted_as_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "liberty-data").mkdir(mode=0o700)
    (tmp_path / "liberty-data/liberty.db").symlink_to(tmp_path / "victim")
    with pytest.raises(Invalid, match="cannot use the data folder"):
        ensure_data_dir(load(tmp_path))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///a.db?x=1", "sqlite:////r/a.db?x=1"),
        ("sqlite+aiosqlite:///../a.db", "sqlite+aiosqlite:////a.db"),
        ("sqlite+aiosqlite:////abs.db", "sqlite+aiosqlite:////abs.db"),
        ("sqlite+aiosqlite:///:memory:", "sqlite+aiosqlite:///:memory:"),
        ("sqlite+aiosqlite://", "sqlite+aiosqlite://"),
        ("postgresql+asyncpg:///a", "postgresql+asyncpg:///a"),
    ],
)
def test_relative_sqlite_files_are_found_from_the_repo(url: str, expected: str) -> None:
    assert absolute_sqlite_url(url, Path("/r")) == expected


@pytest.mark.parametrize(
    "password", ["plain", "with/slash", "with?question", "with@at", "with:colon", "with#hash"]
)
def test_a_masked_url_shows_no_part_of_the_password(password: str) -> None:
    assert masked_url(f"postgresql://u:{password}@h:5/d?sslmode=x") == "postgresql://u:***@h:5/d"
