"""A real server on a real port for tests: the whole application in a thread, with users who may do different things."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from liberty.loops import LoopThread
from liberty.main import Application
from liberty.runtime import Runtime
from liberty.settings import load_settings

PEOPLE: Mapping[str, tuple[str, ...]] = {
    "alice": ("job:greet",),
    "bob": ("job:greet:read", "job:greet:abort"),
    "charlie": (),
    "editor": ("job:greet:read", "settings:*", "monitoring:view"),
}
"""Alice may run, Bob may abort, Charlie sees nothing; the editor may change what they may read."""

JOBS = """\
# what the tests run
[[jobs]]
name = "greet"
app = "hello"
description = "says hello"
tags = ["test"]
schedule = "0 2 * * *"
timezone = "Europe/Paris"
single_instance = false
[jobs.params]
who = "world"
[[jobs.steps]]
type = "python"
name = "say"
callable = "hello.jobs:say"

[[jobs]]
name = "greet2"
app = "hello"
[[jobs.steps]]
type = "python"
callable = "hello.jobs:say"

[[jobs]]
name = "wait"
app = "hello"
[[jobs.steps]]
type = "python"
name = "waiting"
callable = "hello.jobs:wait"

[[jobs]]
name = "chatty"
app = "hello"
[[jobs.steps]]
type = "python"
name = "talk"
callable = "hello.jobs:talk"
op_kwargs = { lines = 3 }

[[jobs]]
name = "broken"
schedul = "0 2 * * *"
[[jobs.steps]]
type = "python"
callable = "hello.jobs:say"
"""

PLUGIN = '''\
"""Functions of the tests."""

import asyncio
import logging

log = logging.getLogger("hello")


def say(who="nobody", **_):
    """Says hello."""
    log.info("hello %s", who)
    return {"rows_affected": 1, "said": who}


async def wait(**_):
    log.info("waiting")
    await asyncio.sleep(600)


async def talk(lines: int, **_):
    for number in range(lines):
        log.warning("line %d \\x1b[31m", number)
        if number % 1000 == 0:
            await asyncio.sleep(0)
'''


def lay_out(folder: Path, *, jobs: str = JOBS, app: str = "", connectors: str | None = None) -> Path:
    """An apps repo; its config folder."""
    config, plugin = folder / "config", folder / "plugins" / "hello"
    config.mkdir(parents=True)
    plugin.mkdir(parents=True)
    (config / "jobs.toml").write_text(jobs)
    (config / "app.toml").write_text(app)
    if connectors is not None:
        (config / "connectors.toml").write_text(connectors)
    (plugin / "__init__.py").write_text("")
    (plugin / "jobs.py").write_text(PLUGIN)
    return config


@dataclass
class Server:
    """A running server. `client(name)` sends a person's token, `client(None)` nothing."""

    url: str
    config: Path
    runtime: Runtime
    application: Application
    lane: LoopThread
    tokens: dict[str, str] = field(default_factory=dict)
    clients: dict[str | None, httpx.Client] = field(default_factory=dict)

    def client(self, name: str | None) -> httpx.Client:
        if name not in self.clients:
            headers = {"Authorization": f"Bearer {self.tokens[name]}"} if name else {}
            self.clients[name] = httpx.Client(base_url=self.url, headers=headers, timeout=20, trust_env=False)
        return self.clients[name]

    @property
    def root(self) -> httpx.Client:
        return self.client("root")

    def start(self, job: str, body: Mapping[str, Any] | None = None) -> str:
        """Start a run as the superuser; its id."""
        answer = self.root.post(f"/admin/jobs/{job}/run", json=body or {})
        assert answer.status_code == 202, answer.text
        run_id: str = answer.json()["run_id"]
        return run_id

    def ended(self, run_id: str) -> dict[str, Any]:
        """The run once it has ended: its log is followed to the end."""
        with self.root.stream("GET", f"/admin/jobs/runs/{run_id}/logs", params={"follow": "true"}) as stream:
            assert any(line == "event: end" for line in stream.iter_lines())
        found: dict[str, Any] = self.root.get(f"/admin/jobs/runs/{run_id}").json()
        return found

    def events(
        self, run_id: str, *, client: httpx.Client | None = None, **params: Any
    ) -> Iterator[tuple[str, Any]]:
        """Server-Sent Events of a run's log: (event, data)."""
        query = {"follow": "true", **params}
        with (client or self.root).stream("GET", f"/admin/jobs/runs/{run_id}/logs", params=query) as stream:
            assert stream.status_code == 200
            event = "message"
            for line in stream.iter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif name == "data":
                    yield event, json.loads(value)
                    event = "message"


class _Quiet(uvicorn.Server):
    """Tells when it listens; leaves signals to the tests."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@contextmanager
def serving(config: Path, *, environ: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A server on the apps repo, closed in good order at the end."""
    variables = {
        "LIBERTY_APPS_DIR": str(config),
        "LIBERTY_DATA_DIR": str(config.parent / "data"),
        "LIBERTY_ADMIN_PASSWORD": "for-tests-only",
        **(environ or {}),
    }
    lane = LoopThread("test server").start()
    application = Application(lambda: load_settings(variables, cwd=config.parent))
    server = _Quiet(
        uvicorn.Config(
            application,  # type: ignore[arg-type]  # the stubs know only dict scopes
            port=0,
            lifespan="off",
            log_config=None,
            timeout_graceful_shutdown=1,
        )
    )
    lane.submit(application.open()).result(30)
    serve = lane.submit(server._serve())
    assert server.listening.wait(10)
    port = server.servers[0].sockets[0].getsockname()[1]
    made = Server(f"http://127.0.0.1:{port}", config, application.runtime, application, lane)
    try:
        made.tokens = lane.submit(_introduce(application.runtime)).result(20)
        yield made
    finally:
        for client in made.clients.values():
            client.close()
        server.should_exit = True
        serve.result(20)
        lane.submit(_end(application)).result(30)
        lane.stop()


async def _introduce(runtime: Runtime) -> dict[str, str]:
    """Make the people; a token each."""
    tokens = {}
    for name, permissions in {**PEOPLE, "root": ()}.items():
        # Another provider than `local` needs no password, and so no slow hash.
        await runtime.accounts.create_user(
            name, permissions=permissions, superuser=name == "root", provider="test"
        )
        _, tokens[name] = await runtime.accounts.tokens.create_api_token(
            name, "test", permissions=None, actor="test"
        )
    return tokens


async def _end(application: Application) -> None:
    await application.drain(0)
    await application.close()
    application.runtime.plugins.uninstall()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for the tests of a module, which change nothing but runs."""
    with serving(lay_out(tmp_path_factory.mktemp("repo"))) as found:
        yield found


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """One for a single test, which may edit its files."""
    with serving(lay_out(tmp_path)) as found:
        yield found
