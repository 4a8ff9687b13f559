"""An apps repository to work on, the command line called in this process, and a real server beside it."""

import gc
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from liberty.cli import main

BIN = Path(sys.executable).parent

JOBS = """
[[jobs]]
name = "greet"
description = "Greets somebody"
tags = ["demo"]
params = { name = "world", times = 1 }
steps = [{ type = "python", name = "say", callable = "PLUGIN:greet" }]

[[jobs]]
name = "broken"
steps = [{ type = "python", name = "boom", callable = "PLUGIN:boom" }]

[[jobs]]
name = "waits"
steps = [{ type = "python", name = "wait", callable = "PLUGIN:wait" }]

[[jobs]]
name = "nightly"
schedule = "0 2 * * *"
timezone = "Europe/Paris"
steps = [{ type = "python", callable = "PLUGIN:greet", op_kwargs = { name = "night" } }]
"""

PLUGIN = """
import asyncio


def greet(ctx, name, times=1):
    for number in range(times):
        ctx.log.info("hello, %s", name)
    return {"greeting": f"hello, {name}", "kind": type(name).__name__}


def boom(ctx):
    ctx.log.warning("one\\ntwo \\x1b[31m three")
    raise ValueError("no such \\x1b[31m thing")


async def wait(ctx):
    ctx.log.info("waiting")
    await asyncio.sleep(60)
"""


@dataclass(frozen=True)
class Done:
    """What a command did."""

    code: int
    out: str
    err: str


type Cli = Callable[..., Done]


def lay_out(target: Path, plugin: str) -> Path:
    """An apps repository whose plugin has a name of its own, because plugins are imported into this process."""
    (target / "config").mkdir(parents=True)
    (target / "config" / "jobs.toml").write_text(JOBS.replace("PLUGIN", plugin))
    (target / "plugins" / plugin).mkdir(parents=True)
    (target / "plugins" / plugin / "__init__.py").write_text(PLUGIN)
    return target


@pytest.fixture
def apps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory: an apps repository with a few jobs, and no history yet."""
    repo = lay_out(tmp_path / "apps", f"cli_{tmp_path.name}".replace("-", "_"))
    monkeypatch.chdir(repo)
    monkeypatch.setenv("NO_COLOR", "1")
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield repo
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """`cli("job", "list")` as a person would type it."""

    def call(*words: str) -> Done:
        capsys.readouterr()
        code = main(words)
        gc.collect()  # stand-ins for standard output flush when they are collected, which must be before it is closed
        printed = capsys.readouterr()
        return Done(code, printed.out, printed.err)

    return call


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("LIBERTY_")} | {
        "NO_COLOR": "1"
    }


def admin(*words: str, cwd: Path) -> subprocess.Popen[str]:
    """`liberty-admin` as a process of its own."""
    return subprocess.Popen(
        [str(BIN / "liberty-admin"), *words],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@dataclass(frozen=True)
class Running:
    """A server on an apps repository."""

    url: str
    repo: Path
    process: subprocess.Popen[str]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A real server process, shared by the tests that only need one to be there."""
    repo = lay_out(tmp_path_factory.mktemp("server") / "apps", "cli_served")
    process = subprocess.Popen(
        [str(BIN / "liberty-next"), "--port", "0"],
        cwd=repo,
        env=environment() | {"LIBERTY_ADMIN_PASSWORD": "a-password-for-tests"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            before, found, url = line.strip().partition(" is at ")
            if found and before.startswith("Nomaflow"):
                break
        else:
            pytest.fail(f"the server ended before it said where it is: {''.join(said)}")
        yield Running(url, repo, process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
