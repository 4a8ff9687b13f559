"""Plugins: importing, generations over changes on disk, refusals, and reading signatures without running code."""

import asyncio
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from liberty.errors import Invalid, NotFound, did_you_mean
from liberty.plugins import Plugins, PluginSet
from liberty.plugins import generations as generations_module
from liberty.plugins import importer as importer_module
from liberty.plugins import plugin_set as plugin_set_module

LONG_AGO = 1_700_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An apps repo's plugins folder with two plugins, one of which imports the other."""
    plugins = tmp_path / "plugins"
    for name, text in {
        "reports/__init__.py": "",
        "reports/summary.py": (
            "from utils.words import word\n"
            "async def generate(ctx, *, period: str, limit: int = 10, **_) -> dict:\n"
            '    """Write the summary.\n\n    More.\n    """\n'
            "    return {'word': word()}\n"
            "def version():\n    return 1\n"
            "def _private():\n    return 0\n"
        ),
        "utils/__init__.py": "",
        "utils/words.py": "def word():\n    return 'one'\n",
        "single.py": "def run():\n    return 'single'\n",
    }.items():
        write(plugins / name, text)
    return plugins


@pytest.fixture
def installed(folder: Path) -> Iterator[Plugins]:
    plugins = Plugins(folder)
    plugins.install()
    yield plugins
    plugins.uninstall()


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def seen_soon(plugins: Plugins, wanted: Callable[[PluginSet], bool]) -> PluginSet:
    """The first snapshot that is as wanted, within three seconds."""

    async def look() -> PluginSet:
        async with asyncio.timeout(3):
            while not wanted(found := await plugins.settled_snapshot()):
                await asyncio.sleep(0)
        return found

    return asyncio.run(look())


def call(found: PluginSet, ref: str, *args: object) -> object:
    return found.resolve(ref)(*args)


def test_install_puts_the_folder_first_on_the_path_and_says_so_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "liberty.plugins")
    plugins = Plugins(folder)
    try:
        assert plugins.install() == ()
        plugins.install()
        assert sys.path[0] == str(folder)
        assert sys.path.count(str(folder)) == 1
    finally:
        plugins.uninstall()
    lines = [record for record in caplog.records if "importable" in record.getMessage()]
    assert [(line.name, line.levelname, line.getMessage()) for line in lines] == [
        ("liberty.plugins", "INFO", f"liberty.plugins importable from {folder}")
    ]
    assert str(folder) not in sys.path


def test_a_missing_folder_is_silent_until_it_appears(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    plugins = Plugins(tmp_path / "plugins")
    before = list(sys.path)
    try:
        assert plugins.install() == ()
        assert sys.path == before
        assert caplog.records == []
        write(tmp_path / "plugins" / "late.py", "def run():\n    return 7\n")
        found = seen_soon(plugins, lambda found: "late" in found.tree.modules)
        assert call(found, "late:run") == 7
        assert f"liberty.plugins importable from {tmp_path / 'plugins'}" in caplog.messages
    finally:
        plugins.uninstall()


@pytest.mark.parametrize(
    ("ref", "result"),
    [("single:run", "single"), ("reports.summary:version", 1), ("utils.words:word", "one")],
)
def test_resolve_finds_functions_of_packages_and_single_modules(
    installed: Plugins, ref: str, result: object
) -> None:
    found = installed.snapshot()
    assert found.resolved(ref) is None
    assert call(found, ref) == result
    assert found.resolved(ref) is found.resolve(ref)


@pytest.mark.parametrize(
    ("ref", "text"),
    [
        (
            "myapp.cleanup:purge",
            (
                "python step 'cleanup': cannot import module 'myapp.cleanup' from callable 'myapp.cleanup:purge'"
                " — No module named 'myapp'"
            ),
        ),
        (
            "reports.nothing:purge",
            (
                "python step 'cleanup': cannot import module 'reports.nothing' from callable 'reports.nothing:purge'"
                " — No module named 'reports.nothing'"
            ),
        ),
        (
            "reports.summary:purge",
            (
                "python step 'cleanup': module 'reports.summary' has no attribute 'purge'"
                " (from callable 'reports.summary:purge')"
            ),
        ),
        (
            "bare.cleanup:purge",
            (
                "python step 'cleanup': cannot import module 'bare.cleanup' from callable 'bare.cleanup:purge'"
                " — No module named 'bare'"
            ),
        ),
        (
            "needy:run",
            (
                "python step 'cleanup': cannot import module 'needy' from callable 'needy:run'"
                " — No module named 'library_that_nobody_has'"
            ),
        ),
        (
            "leaving:run",
            "python step 'cleanup': cannot import module 'leaving' from callable 'leaving:run' — SystemExit: 3",
        ),
    ],
)
def test_what_cannot_be_resolved_says_which_half_failed(folder: Path, ref: str, text: str) -> None:
    write(folder / "bare" / "cleanup.py", "def purge():\n    return 1\n")
    write(folder / "needy.py", "import library_that_nobody_has\n")
    write(folder / "leaving.py", "raise SystemExit(3)\n")
    plugins = Plugins(folder)
    plugins.install()
    try:
        with pytest.raises(ImportError) as raised:
            plugins.snapshot().resolve(ref, "cleanup")
    finally:
        plugins.uninstall()
    assert type(raised.value) is ImportError
    assert str(raised.value) == text


@pytest.mark.parametrize(
    "ref",
    [
        "subprocess:check_output",
        "os:system",
        "builtins:eval",
        "pydantic:create_model",
        "gadgets:check_output",
        "gadgets:cached_rmtree",
        "gadgets:Popen",
        "gadgets:subprocess",
        "gadgets:__import__",
        "gadgets.__builtins__:eval",
        "liberty.toml_files:write_atomic",
        "liberty.cli:main",
        "gadgets:run.__globals__",
        "gadgets",
        "linked:run",
    ],
)
def test_only_functions_of_plugins_are_callable(folder: Path, tmp_path: Path, ref: str) -> None:
    write(
        folder / "gadgets.py",
        "import functools, shutil, subprocess\n"
        "from subprocess import Popen, check_output\n"
        "cached_rmtree = functools.lru_cache(shutil.rmtree)\n"
        "def run():\n    return 1\n",
    )
    write(tmp_path / "outside" / "linked.py", "def run():\n    return 1\n")
    (folder / "linked.py").symlink_to(tmp_path / "outside" / "linked.py")
    plugins = Plugins(folder)
    plugins.install()
    try:
        found = plugins.snapshot()
        assert call(found, "gadgets:run") == 1
        with pytest.raises(ImportError, match=r"refused|not of the form|No module named"):
            found.resolve(ref, "x")
    finally:
        plugins.uninstall()


def test_of_the_program_itself_only_what_ships_for_jobs_is_callable(
    installed: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin_set_module, "SHIPPED_MODULES", ("liberty.errors",))
    found = installed.snapshot()
    assert found.resolve("liberty.errors:did_you_mean") is did_you_mean
    for ref in ("liberty.errors:get_close_matches", "liberty.errors:NotFound", "liberty.clock:to_millis"):
        with pytest.raises(ImportError, match="refused"):
            found.resolve(ref)


def test_decorated_and_re_exported_functions_of_plugins_are_callable(folder: Path) -> None:
    write(folder / "reports" / "__init__.py", "from reports.kept import kept, plain\n")
    write(
        folder / "reports" / "kept.py",
        "import contextlib, functools\n"
        "@functools.lru_cache\ndef kept():\n    return 'kept'\n"
        "@contextlib.contextmanager\ndef managed():\n    yield\n"
        "def plain():\n    return 'plain'\n",
    )
    plugins = Plugins(folder)
    plugins.install()
    try:
        found = plugins.snapshot()
        assert [call(found, "reports:kept"), call(found, "reports:plain")] == ["kept", "plain"]
        assert callable(found.resolve("reports.kept:managed"))
    finally:
        plugins.uninstall()


def test_a_plugin_that_would_hide_a_module_is_refused_and_the_others_work(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(folder / "json.py", "def loads(text):\n    return 'hijacked'\n")
    write(folder / "colorsys" / "__init__.py", "hijacked = True\n")
    write(folder / "pydantic" / "__init__.py", "hijacked = True\n")
    sys.modules.pop("colorsys", None)
    plugins = Plugins(folder)
    problems = plugins.install()
    try:
        import colorsys

        assert not hasattr(colorsys, "hijacked")
        assert call(plugins.snapshot(), "single:run") == "single"
        with pytest.raises(ImportError, match="refused"):
            plugins.snapshot().resolve("json:loads")
    finally:
        plugins.uninstall()
    assert sorted(str(problem.key) for problem in problems) == ["colorsys", "json", "pydantic"]
    assert "would hide Python's own module 'json'" in caplog.text


def test_an_edit_is_seen_by_the_next_run_and_not_by_the_one_in_flight(
    installed: Plugins, folder: Path
) -> None:
    in_flight = installed.snapshot()
    old = in_flight.resolve("reports.summary:version")
    write(folder / "reports" / "summary.py", "def version():\n    return 2\n")
    newer = seen_soon(installed, lambda found: found is not in_flight)
    assert call(newer, "reports.summary:version") == 2
    assert old() == 1
    assert in_flight.resolve("reports.summary:version") is old
    assert newer.number == in_flight.number + 1
    assert newer.fingerprint() != in_flight.fingerprint()


def test_a_run_in_flight_loads_its_later_steps_from_the_code_it_began_with(
    installed: Plugins, folder: Path
) -> None:
    in_flight = installed.snapshot()
    write(folder / "utils" / "words.py", "def word():\n    return 'two'\n")
    newer = seen_soon(installed, lambda found: found is not in_flight)
    assert call(newer, "utils.words:word") == "two"
    assert call(in_flight, "utils.words:word") == "one"
    assert sys.modules["utils.words"].word() == "two"


def test_a_changed_helper_package_reloads_the_plugins_that_import_it(
    installed: Plugins, folder: Path
) -> None:
    first = installed.snapshot()
    generate = first.resolve("reports.summary:generate")
    write(folder / "utils" / "words.py", "def word():\n    return 'two'\n")
    second = seen_soon(installed, lambda found: found is not first)
    regenerate = second.resolve("reports.summary:generate")
    assert asyncio.run(generate(None, period="p")) == {"word": "one"}
    assert asyncio.run(regenerate(None, period="p")) == {"word": "two"}


def test_an_edit_of_the_same_size_and_time_is_seen(installed: Plugins, folder: Path) -> None:
    path = folder / "single.py"
    os.utime(path, (LONG_AGO, LONG_AGO))
    first = seen_soon(installed, lambda found: True)
    assert call(first, "single:run") == "single"
    path.write_text(path.read_text().replace("'single'", "'double'"))
    os.utime(path, (LONG_AGO, LONG_AGO))
    second = seen_soon(installed, lambda found: found.fingerprint() != first.fingerprint())
    assert call(second, "single:run") == "double"


def test_no_byte_code_is_written_or_read(installed: Plugins, folder: Path) -> None:
    call(installed.snapshot(), "reports.summary:version")
    assert list(folder.rglob("*.pyc")) == []


def test_touching_a_file_makes_no_new_generation(installed: Plugins, folder: Path) -> None:
    first = installed.snapshot()
    os.utime(folder / "single.py", (LONG_AGO, LONG_AGO))
    write(folder / "settled.py", "")
    settled = seen_soon(installed, lambda found: "settled" in found.tree.modules)
    assert settled.number == first.number + 1
    os.utime(folder / "single.py", (LONG_AGO + 9, LONG_AGO + 9))
    assert asyncio.run(installed.settled_snapshot()) is settled


def test_a_half_copied_folder_is_not_taken_over(
    installed: Plugins, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = installed.snapshot()
    begun, copied_on = threading.Event(), threading.Event()

    def copy_slowly() -> None:
        write(folder / "reports" / "summary.py", "from reports.missing import version\n")
        begun.set()
        deadline = time.monotonic() + 10
        while not copied_on.wait(0.1) and time.monotonic() < deadline:
            write(folder / "reports" / "filler.py", f"# {time.monotonic()}\n")
        write(folder / "reports" / "missing.py", "def version():\n    return 3\n")

    copier = threading.Thread(target=copy_slowly)
    copier.start()
    assert begun.wait(5)
    try:
        deadline = time.monotonic() + 5
        while "still changing" not in caplog.text and time.monotonic() < deadline:
            meanwhile = asyncio.run(installed.settled_snapshot(patience_seconds=0.6))
            assert meanwhile is first
            assert call(meanwhile, "reports.summary:version") == 1
    finally:
        copied_on.set()
        copier.join()
    assert "runs keep generation 1" in caplog.text
    complete = seen_soon(installed, lambda found: "reports.missing" in found.tree.modules)
    assert complete.number == first.number + 1
    assert call(complete, "reports.summary:version") == 3


def test_broken_code_fails_the_run_that_needs_it_and_a_fix_heals_it(installed: Plugins, folder: Path) -> None:
    first = installed.snapshot()
    write(folder / "single.py", "def run(:\n")
    broken = seen_soon(installed, lambda found: found is not first)
    with pytest.raises(ImportError, match=r"cannot import module 'single'.* — SyntaxError: "):
        broken.resolve("single:run", "x")
    assert call(broken, "utils.words:word") == "one"
    write(folder / "single.py", "def run():\n    return 'healed'\n")
    healed = seen_soon(installed, lambda found: found is not broken)
    assert call(healed, "single:run") == "healed"


def test_a_removed_plugin_is_gone_for_the_next_run(installed: Plugins, folder: Path) -> None:
    first = installed.snapshot()
    call(first, "single:run")
    (folder / "single.py").unlink()
    second = seen_soon(installed, lambda found: found is not first)
    with pytest.raises(ImportError, match="No module named 'single'"):
        second.resolve("single:run")
    assert call(first, "single:run") == "single"


def test_a_link_that_a_deploy_re_points_is_followed(tmp_path: Path, folder: Path) -> None:
    folder.rename(tmp_path / "one")
    write(tmp_path / "two" / "single.py", "def run():\n    return 'released'\n")
    folder.symlink_to(tmp_path / "one")
    plugins = Plugins(folder)
    plugins.install()
    try:
        first = plugins.snapshot()
        assert call(first, "single:run") == "single"
        (tmp_path / "next").symlink_to(tmp_path / "two")
        (tmp_path / "next").rename(folder)
        second = seen_soon(plugins, lambda found: found is not first)
        assert call(second, "single:run") == "released"
        assert call(first, "utils.words:word") == "one"
    finally:
        plugins.uninstall()


def test_restart_mode_keeps_the_first_generation_until_reloaded(folder: Path) -> None:
    plugins = Plugins(folder, "restart")
    plugins.install()
    try:
        first = plugins.snapshot()
        write(folder / "single.py", "def run():\n    return 'newer'\n")
        assert asyncio.run(plugins.settled_snapshot()) is first
        assert call(plugins.snapshot(), "single:run") == "single"
        assert plugins.reload("single") == ["single"]
        assert call(plugins.snapshot(), "single:run") == "newer"
    finally:
        plugins.uninstall()


def test_reload_returns_the_modules_and_names_the_nearest_plugin(installed: Plugins, folder: Path) -> None:
    before = installed.snapshot()
    assert installed.reload("reports") == ["reports", "reports.summary"]
    assert installed.snapshot().number == before.number + 1
    with pytest.raises(NotFound, match="did you mean 'reports'"):
        installed.reload("report")
    write(folder / "reports" / "summary.py", "def version(:\n")
    kept = installed.snapshot()
    with pytest.raises(Invalid) as raised:
        installed.reload("reports")
    assert (raised.value.problems[0].file, raised.value.problems[0].line) == (
        str(folder / "reports" / "summary.py"),
        1,
    )
    assert installed.snapshot() is kept


def test_runs_that_start_together_never_see_a_mixture(installed: Plugins, folder: Path) -> None:
    """Each generation has the same number in two modules; whoever resolves both must get equal numbers."""
    mixed: list[tuple[object, object]] = []
    stop = threading.Event()

    def run_jobs() -> None:
        while not stop.is_set():
            found = installed.snapshot()
            pair = call(found, "pair.a:number"), call(found, "pair.b:number")
            if pair[0] != pair[1]:
                mixed.append(pair)

    def write_pair(number: int) -> None:
        write(folder / "pair" / "a.py", f"from pair.c import NUMBER\ndef number():\n    return {number}\n")
        write(folder / "pair" / "b.py", "from pair.c import NUMBER\ndef number():\n    return NUMBER\n")
        write(folder / "pair" / "c.py", f"NUMBER = {number}\n")
        write(folder / "pair" / "__init__.py", "")

    write_pair(0)
    installed.reload("pair")
    runners = [threading.Thread(target=run_jobs) for _ in range(3)]
    for runner in runners:
        runner.start()
    for number in range(1, 20):
        write_pair(number)
        installed.reload("pair")
    stop.set()
    for runner in runners:
        runner.join()
    assert mixed == []
    assert call(installed.snapshot(), "pair.b:number") == 19


def test_an_import_that_never_ends_does_not_hold_up_the_others_for_ever(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(importer_module, "IMPORT_PATIENCE_SECONDS", 0.05)
    write(
        folder / "hanging.py",
        "import threading\nentered = threading.Event()\nrelease = threading.Event()\n"
        "threading.main_thread().plugin_test = (entered, release)\nentered.set()\nrelease.wait(20)\n"
        "def run():\n    return 1\n",
    )
    plugins = Plugins(folder)
    plugins.install()
    found = plugins.snapshot()
    stuck = threading.Thread(target=lambda: found.resolve("hanging:run"))
    stuck.start()
    try:
        deadline = time.monotonic() + 5
        while not hasattr(threading.main_thread(), "plugin_test") and time.monotonic() < deadline:
            stuck.join(0.01)
        entered, release = threading.main_thread().plugin_test  # type: ignore[attr-defined]  # set by the plugin
        assert entered.wait(5)
        assert call(found, "single:run") == "single"
        assert "importing hanging has not ended" in caplog.text
        release.set()
    finally:
        stuck.join(5)
        del threading.main_thread().plugin_test  # type: ignore[attr-defined]  # set by the plugin
        plugins.uninstall()


def test_functions_are_listed_without_running_any_code(folder: Path) -> None:
    write(
        folder / "reports" / "loud.py", "raise SystemExit('imported')\ndef quiet(a, /, b=1, *, c: str): ...\n"
    )
    write(folder / "reports" / "tests" / "test_it.py", "def test_it(): ...\n")
    write(folder / "reports" / "broken.py", "def broken(:\n")
    plugins = Plugins(folder)
    plugins.install()
    try:
        listed = {function.ref: function for function in plugins.functions()}
    finally:
        plugins.uninstall()
    assert sorted(listed) == [
        "reports.loud:quiet",
        "reports.summary:generate",
        "reports.summary:version",
        "single:run",
        "utils.words:word",
    ]
    generate = listed["reports.summary:generate"]
    assert (generate.summary, generate.is_async, generate.takes_any, generate.line) == (
        "Write the summary.",
        True,
        True,
        2,
    )
    assert [(p.name, p.annotation, p.default, p.required) for p in generate.parameters] == [
        ("period", "str", None, True),
        ("limit", "int", "10", False),
    ]
    assert [(p.name, p.required) for p in listed["reports.loud:quiet"].parameters] == [
        ("a", True),
        ("b", False),
        ("c", True),
    ]


def test_signature_params_leave_out_what_is_injected(folder: Path) -> None:
    write(
        folder / "jobs_code.py",
        "async def strict(run: 'StepContext', *, connectors, settings, apps_id: int, days=3): ...\n"
        "def open_ended(*, a, **rest): ...\n",
    )
    plugins = Plugins(folder)
    plugins.install()
    try:
        assert plugins.signature_params("jobs_code:strict") == {"apps_id", "days"}
        assert plugins.signature_params("jobs_code:open_ended") == {"a"}
        assert plugins.signature_params("jobs_code:nothing") is None
        assert plugins.signature_params("nowhere:nothing") is None
    finally:
        plugins.uninstall()


def test_scanning_is_rationed_on_a_busy_server(
    installed: Plugins, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scans = 0
    scan = generations_module.scan

    def slow_scan(root: str) -> object:
        nonlocal scans
        scans += 1
        until = time.monotonic() + 0.005
        while time.monotonic() < until:
            pass
        return scan(root)

    monkeypatch.setattr(generations_module, "scan", slow_scan)
    for _ in range(1000):
        installed.snapshot()
    assert 1 <= scans <= 3
