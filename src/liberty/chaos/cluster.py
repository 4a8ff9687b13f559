"""An installation for one experiment: an apps repository, a database of its own, N replicas, and the witness."""

import asyncio
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from liberty.chaos import false_time
from liberty.chaos.facts import Mark, Row, marks_of, row_of
from liberty.chaos.replica import Replica, plain_environ
from liberty.chaos.result import Plan
from liberty.database.sandbox import Sandbox
from liberty.errors import Conflict, Internal, Invalid, LibertyError, Unavailable

PAGE = 1000
PATIENCE_SECONDS = 60.0


class Cluster:
    """What an experiment works with. Everything it learns comes over REST or from the witness."""

    def __init__(self, folder: Path, replicas: list[Replica], sandbox: Sandbox | None) -> None:
        self.folder = folder
        self.replicas = replicas
        self.sandbox = sandbox
        self.own_hosts = len(replicas) > 1 and can_rename_host()

    @property
    def usable(self) -> list[Replica]:
        return [replica for replica in self.replicas if replica.usable]

    async def start(self) -> None:
        """The first alone, because it makes the tables; the others at once."""
        first, *others = [replica for replica in self.replicas if not replica.alive]
        await first.start()
        await asyncio.gather(*(replica.start() for replica in others))

    async def heal(self) -> None:
        """Everybody is up and awake afterwards."""
        for replica in self.replicas:
            if replica.paused:
                replica.resume()
        await asyncio.gather(*(replica.start() for replica in self.replicas if not replica.alive))

    async def stop(self) -> None:
        for replica in self.replicas:
            await replica.kill()

    # -- looking

    async def get(self, path: str, within: float = PATIENCE_SECONDS) -> Any:
        """The answer of whichever replica gives one. Raises Unavailable when none does in time."""
        deadline = time.monotonic() + within
        while True:
            reason: LibertyError = Unavailable("every replica is down or paused")
            for replica in self.usable:
                try:
                    return await replica.get(path)
                except Unavailable as error:
                    reason = error
            if time.monotonic() > deadline:
                raise reason
            await asyncio.sleep(0.2)

    async def rows(self, *, job: str | None = None, since: datetime | None = None) -> list[Row]:
        """Every run, oldest first; of one job, or queued since."""
        query = f"limit={PAGE}"
        if job is not None:
            query += f"&job={quote(job)}"
        if since is not None:
            query += f"&from={quote(since.isoformat())}"
        found: list[Row] = []
        cursor = ""
        while True:
            page = await self.get(f"/admin/jobs/runs?{query}{cursor}")
            found += [row_of(item) for item in page["items"]]
            if page["next_cursor"] is None:
                return found[::-1]
            cursor = f"&cursor={quote(page['next_cursor'])}"

    async def run(self, run_id: str) -> dict[str, Any]:
        """One run with its steps and log."""
        found: dict[str, Any] = await self.get(f"/admin/jobs/runs/{run_id}")
        return found

    async def ended(self, run_id: str, within: float) -> Row | None:
        """The run once it has ended; None when it has not after `within` seconds."""

        async def look() -> Row | None:
            row = row_of(await self.run(run_id))
            return row if row.final else None

        return await eventually(look, within)

    def marks(self) -> list[Mark]:
        """What the witness has so far."""
        witness = self.folder / "witness"
        zero = datetime.now(UTC) - timedelta(seconds=time.monotonic())
        return marks_of(witness.read_text(), zero) if witness.exists() else []

    async def begun(self, run_ids: set[str], within: float = PATIENCE_SECONDS) -> bool:
        """Whether all these runs reached their first line."""

        async def look() -> bool:
            return run_ids <= {mark.run_id for mark in self.marks()}

        return bool(await eventually(look, within))

    async def owner(self, run_id: str) -> Replica | None:
        """The replica whose process runs it, if it is one of its present processes."""
        row = row_of(await self.run(run_id))
        if row.replica is None:
            return None
        health = await self.get("/admin/jobs/health")
        pids = {item["id"]: item["pid"] for item in health["replicas"]}
        return next((one for one in self.replicas if one.pid == pids.get(row.replica)), None)

    async def leader(self) -> Replica | None:
        """The replica that fires schedules; None when it cannot be told, as when all do."""
        active = []
        for replica in self.usable:
            health = await replica.get("/admin/jobs/health")
            if (
                health["scheduler"] == "active"
                and health["lease"]
                and health["lease"]["holder"] == health["replica"]
            ):
                active.append(replica)
        return active[0] if len(active) == 1 else None

    def set_clock(self, replica: Replica, seconds: float) -> None:
        """Make one replica's wall clock wrong by so much, from now on."""
        false_time.set_offset(replica.folder / "clock", seconds)


async def eventually[T](look: Callable[[], Awaitable[T]], within: float, every: float = 0.1) -> T | None:
    """Look until the answer is true; the last answer when time is over. No answer at all counts as None."""
    deadline = time.monotonic() + within
    while True:
        try:
            found = await look()
        except Unavailable:
            found = None
        if found or time.monotonic() > deadline:
            return found
        await asyncio.sleep(every)


@asynccontextmanager
async def arranged(
    plan: Plan,
    jobs: str,
    *,
    settings: str = "",
    connectors: str = "",
    replicas: int | None = None,
    false_clocks: bool = False,
) -> AsyncIterator[Cluster]:
    """A cluster that is up; nothing is left of it afterwards. `settings` are lines of `[jobs]` in app.toml."""
    wanted = (replicas or plan.replicas) if plan.on_postgresql else 1
    sandbox = None if not plan.on_postgresql or plan.database is None else Sandbox(plan.database)
    folder = Path(tempfile.mkdtemp(prefix="nomaflow-experiment-"))
    made: list[Replica] = []
    ours: list[Path] = []
    try:
        _lay_out(folder, jobs, settings, connectors)
        if sandbox is not None:
            await sandbox.make()
        url = sandbox.url if sandbox is not None else _sqlite_url(plan, folder, ours)
        password = secrets.token_urlsafe(16)
        made += [
            _replica(folder, f"replica-{number}", url, password, wanted > 1, false_clocks)
            for number in range(1, wanted + 1)
        ]
        cluster = Cluster(folder, made, sandbox)
        await cluster.start()
        await _check_jobs(cluster)
        yield cluster
    finally:
        for replica in made:
            await replica.kill()
        if sandbox is not None:
            await sandbox.drop()
        shutil.rmtree(folder, ignore_errors=True)
        for file in ours:
            file.unlink(missing_ok=True)


async def _check_jobs(cluster: Cluster) -> None:
    """An experiment whose own files are wrong would measure nothing."""
    page = await cluster.get("/admin/jobs")
    wrong = [str(item["problems"]) for item in page["items"] if item["state"] == "quarantined"]
    if wrong:
        raise Internal(f"the experiment's jobs are wrong: {'; '.join(wrong)}")


def _replica(folder: Path, name: str, url: str, password: str, several: bool, false_clocks: bool) -> Replica:
    own = folder / name
    own.mkdir()
    environ = plain_environ(
        LIBERTY_APPS_DIR=str(folder / "config"),
        LIBERTY_DATA_DIR=str(own),
        LIBERTY_DB_URL=url,
        LIBERTY_ADMIN_PASSWORD=password,
        CHAOS_WITNESS=str(folder / "witness"),
    )
    if false_clocks:
        clock = own / "clock"
        false_time.set_offset(clock, 0)
        environ |= false_time.environment(clock)
    # A host name each, as on machines of their own: else one replica sees the other's process in /proc.
    rename = ["unshare", "--uts", "sh", "-c", f'hostname {name} && exec "$@"', "sh"]
    return Replica(name, own, environ, rename if several and can_rename_host() else [])


@cache
def can_rename_host() -> bool:
    """Whether a process can be given a host name of its own here; that takes the rights of root."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    command = ["unshare", "--uts", "sh", "-c", "hostname experiment"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603 - a fixed text


def _lay_out(folder: Path, jobs: str, settings: str, connectors: str) -> None:
    (folder / "config").mkdir()
    (folder / "plugins").mkdir()
    app = f'[jobs]\n{settings}\n[plugins]\nreload = "restart"\n'
    (folder / "config" / "app.toml").write_text(app)
    (folder / "config" / "jobs.toml").write_text(jobs)
    (folder / "config" / "connectors.toml").write_text(connectors)
    shutil.copy(Path(__file__).with_name("plugin.py"), folder / "plugins" / "experiment.py")


def _sqlite_url(plan: Plan, folder: Path, ours: list[Path]) -> str:
    """The URL of a file that is not there yet; what will have to be removed is added to `ours`."""
    if plan.database is None:
        return f"sqlite+aiosqlite:///{folder / 'history.db'}"
    file = sqlite_file(plan.database)
    if file.exists():
        raise Conflict(
            f"{file} exists; experiments make a file of their own and remove it: name one that is not there"
        )
    ours += [file.with_name(file.name + ending) for ending in ("", "-wal", "-shm", "-ballast")]
    return f"sqlite+aiosqlite:///{file}"


def sqlite_file(url: str) -> Path:
    """The file of an SQLite URL. Raises Invalid for any other kind."""
    scheme, _, path = url.partition(":///")
    if not scheme.startswith("sqlite") or not path:
        raise Invalid(f"experiments run on sqlite:///FILE or postgresql://…, not on {scheme!r}")
    return Path(path).absolute()


def job(
    name: str,
    function: str,
    *lines: str,
    op_kwargs: Mapping[str, object] | None = None,
    step: str = "",
) -> str:
    """The TOML of a job with one step of the plugin; `lines` are its own, `step` those of its step."""
    values = ", ".join(f"{key} = {value}" for key, value in (op_kwargs or {}).items())
    return (
        f'[[jobs]]\nname = "{name}"\n' + "".join(f"{line}\n" for line in lines) + "[[jobs.steps]]\n"
        f'type = "python"\nname = "only"\ncallable = "experiment:{function}"\nop_kwargs = {{ {values} }}\n{step}\n'
    )
