"""The Socket.IO server: who is connected, what they follow, and that they may still see it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import socketio

from liberty.auth.credentials import check_origin, identify, is_own_origin
from liberty.bus import Bus
from liberty.errors import Forbidden, LibertyError, NotFound, Unauthenticated
from liberty.jobs.events import ConfigReloaded, RunMoved, StepMoved, StepProgressed
from liberty.jobs.run import LogLine, Run
from liberty.jobs.service import Caller, wire
from liberty.jobs.service.arrival import caller_of
from liberty.jobs.service.follow import MAX_SEQ, LogFollower
from liberty.live import events as names
from liberty.live.outbox import Outbox
from liberty.loops import Ticker, running
from liberty.notify.events import Noticed
from liberty.notify.service import sees
from liberty.notify.wire import notice
from liberty.runtime import Runtime

RECHECK_SECONDS = 60.0
POOLS_SECONDS = 5.0
MAX_RUNS = 32  # runs one client may follow at a time
CHUNK_CHARACTERS = 64 * 1024
MAX_MESSAGE_BYTES = 64 * 1024

type Handler = Callable[..., Awaitable[Any]]

_log = logging.getLogger("liberty.live")


@dataclass(slots=True)
class _Client:
    """A connection. `headers` prove who it is, again and again."""

    headers: Mapping[str, str]
    caller: Caller
    outbox: Outbox
    sender: "asyncio.Task[None]"
    runs: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)
    jobs: bool = False
    pools: bool = False


class Hub:
    """All clients of this process. Use as a context: inside of it `app` is an ASGI application.

    `access` is the permission a subscription to the pools needs.
    """

    def __init__(self, runtime: Runtime, *, pools_permissions: tuple[str, ...]) -> None:
        self._runtime = runtime
        self._pools_permissions = pools_permissions
        self._clients: dict[str, _Client] = {}
        self._server = socketio.AsyncServer(
            async_mode="asgi",
            cors_allowed_origins=self._origin_allowed,
            max_http_buffer_size=MAX_MESSAGE_BYTES,
            ping_interval=25,
            ping_timeout=20,
            logger=False,
            engineio_logger=False,
        )
        self.app = socketio.ASGIApp(self._server, socketio_path="socket.io")
        self._handlers: Mapping[str, Handler] = {
            "connect": self._connect,
            "disconnect": self._disconnect,
            names.RUN_SUBSCRIBE: self._subscribe_run,
            names.RUN_UNSUBSCRIBE: self._unsubscribe_run,
            names.JOBS_SUBSCRIBE: self._subscribe_jobs,
            names.JOBS_UNSUBSCRIBE: self._unsubscribe_jobs,
            names.POOLS_SUBSCRIBE: self._subscribe_pools,
            names.POOLS_UNSUBSCRIBE: self._unsubscribe_pools,
        }
        for name in names.HANDLED:
            self._server.on(name, self._handlers[name])
        self._tickers = (
            Ticker("socket rights", self.recheck, RECHECK_SECONDS),
            Ticker("pool stats", self._tell_pools, POOLS_SECONDS),
        )

    async def run(self, ready: asyncio.Event) -> None:
        """Deliver until cancelled; then every connection is closed."""
        try:
            async with running(*self._tickers):
                ready.set()
                await self._deliver(self._runtime.bus)
        finally:
            for sid in list(self._clients):
                await self._drop(sid)

    # -- connections

    def _origin_allowed(self, origin: str, environ: Mapping[str, Any]) -> bool:
        host = str(environ.get("HTTP_HOST", ""))
        return is_own_origin(origin, host, self._runtime.settings.app.cors_origins)

    async def _connect(self, sid: str, environ: Mapping[str, Any], auth: Any = None) -> None:
        if sid in self._clients:
            return  # a client may send an event of this name; who it is was settled by its handshake
        headers = _headers(environ, auth)
        try:
            credentials = await identify(self._runtime.accounts, headers)
            if credentials.session is not None:
                check_origin(headers, self._runtime.settings.app.cors_origins)
        except (Unauthenticated, Forbidden) as error:
            raise socketio.exceptions.ConnectionRefusedError({"code": error.code}) from None
        address = _address(environ)

        async def emit(event: str, data: Any) -> None:
            await self._server.emit(event, data, to=sid)

        async def stalled() -> None:
            _log.warning(
                "a client of %s at %s reads nothing and is cut off", credentials.principal.name, address
            )
            await self._server.disconnect(sid)

        outbox = Outbox(emit, lambda: self._unsent(sid), stalled)
        sender = asyncio.create_task(outbox.run(), name=f"socket {sid}")
        self._clients[sid] = _Client(headers, caller_of(credentials, address, headers), outbox, sender)

    async def _disconnect(self, sid: str, *_: object) -> None:
        """The connection has ended, or its client sent an event of this name, which ends it too."""
        client = self._clients.pop(sid, None)
        if client is None:
            return
        for task in (client.sender, *client.runs.values()):
            task.cancel()
        if self._server.manager.is_connected(sid, "/"):
            await self._server.disconnect(sid)

    async def _drop(self, sid: str) -> None:
        await self._server.disconnect(sid)
        await self._disconnect(sid)

    def _unsent(self, sid: str) -> int:
        """How much the transport still holds for this client."""
        engine_sid = self._server.manager.eio_sid_from_sid(sid, "/")
        socket = self._server.eio.sockets.get(engine_sid)
        return 0 if socket is None else socket.queue.qsize()

    async def recheck(self) -> None:
        """Whoever has lost a right stops receiving."""
        for sid, client in list(self._clients.items()):
            try:
                credentials = await identify(self._runtime.accounts, client.headers)
            except Unauthenticated:
                client.outbox.offer(names.SESSION_ENDED, {})
                await self._drop(sid)
                continue
            client.caller = caller_of(credentials, client.caller.address, client.headers)
            for run_id in list(client.runs):
                try:
                    await self._runtime.reader.get(run_id, client.caller)
                except NotFound:
                    client.runs.pop(run_id).cancel()
            client.pools = client.pools and self._may_see_pools(client.caller)

    # -- what clients ask for

    async def _subscribe_run(self, sid: str, data: Any = None) -> dict[str, Any]:
        client = self._clients[sid]
        asked = data if isinstance(data, dict) else {}
        run_id, since = asked.get("run_id"), asked.get("since_seq", 0)
        is_number = isinstance(since, int) and not isinstance(since, bool)
        if not isinstance(run_id, str) or not is_number or not 0 <= since <= MAX_SEQ:
            return {"ok": False, "code": "invalid", "detail": "send {run_id, since_seq}"}
        try:
            run = await self._runtime.reader.get(run_id, client.caller)
        except LibertyError as error:
            return {"ok": False, "code": error.code, "detail": error.message}
        if run.run_id not in client.runs and len(client.runs) >= MAX_RUNS:
            return {"ok": False, "code": "conflict", "detail": f"at most {MAX_RUNS} runs at a time"}
        self._follow(client, run, since)
        return {"ok": True, "room": f"run:{run.run_id}", "run": wire.run(run)}

    def _follow(self, client: _Client, run: Run, since: int) -> None:
        before = client.runs.pop(run.run_id, None)
        if before is not None:
            before.cancel()
        task = asyncio.create_task(self._send_log(client, run, since), name=f"log {run.run_id}")
        client.runs[run.run_id] = task

    async def _send_log(self, client: _Client, run: Run, since: int) -> None:
        follower = LogFollower(self._runtime.reader, self._runtime.bus)
        try:
            async for batch in follower.follow(
                run, client.caller, after=since, quiet_seconds=RECHECK_SECONDS
            ):
                for chunk in _chunks(batch.lines):
                    data = {"run_id": run.run_id, "lines": [wire.line(line) for line in chunk]}
                    await client.outbox.put(names.RUN_LOG, data)
        except LibertyError as error:
            _log.info("the log of %s is followed no longer: %s", run.run_id, error.message)

    async def _unsubscribe_run(self, sid: str, data: Any = None) -> dict[str, Any]:
        run_id = data.get("run_id") if isinstance(data, dict) else None
        task = self._clients[sid].runs.pop(str(run_id), None)
        if task is not None:
            task.cancel()
        return {"ok": True}

    async def _subscribe_jobs(self, sid: str, _data: Any = None) -> dict[str, Any]:
        self._clients[sid].jobs = True
        return {"ok": True}

    async def _unsubscribe_jobs(self, sid: str, _data: Any = None) -> dict[str, Any]:
        self._clients[sid].jobs = False
        return {"ok": True}

    async def _subscribe_pools(self, sid: str, _data: Any = None) -> dict[str, Any]:
        client = self._clients[sid]
        if not self._may_see_pools(client.caller):
            return {"ok": False, "code": "not_found", "detail": "no such event"}
        client.pools = True
        await self._tell_pools()
        return {"ok": True}

    async def _unsubscribe_pools(self, sid: str, _data: Any = None) -> dict[str, Any]:
        self._clients[sid].pools = False
        return {"ok": True}

    def _may_see_pools(self, caller: Caller) -> bool:
        return any(caller.principal.may(name) for name in self._pools_permissions)

    # -- what is pushed

    async def _deliver(self, bus: Bus) -> None:
        with bus.subscribe(RunMoved, StepMoved, StepProgressed, ConfigReloaded, Noticed) as happened:
            while True:
                event = await happened.next()
                if happened.missed:
                    happened.missed = 0
                    for client in self._clients.values():
                        client.outbox.offer(names.GAP, {})
                self._tell(event)

    def _tell(self, event: RunMoved | StepMoved | StepProgressed | ConfigReloaded | Noticed) -> None:
        match event:
            case RunMoved(run):
                self._about_run(names.RUN_MOVED, run.run_id, run.job, run.app, lambda: wire.run(run))
            case StepMoved():
                run_id = f"r-{event.run_number}"
                self._about_run(
                    names.STEP_MOVED,
                    run_id,
                    event.job,
                    event.app,
                    lambda: {
                        "run_id": run_id,
                        "job": event.job,
                        "index": event.index,
                        "name": event.name,
                        "status": str(event.status),
                        "attempt": event.attempt,
                    },
                )
            case StepProgressed():
                self._about_progress(event)
            case Noticed():
                self._about_notice(event)
            case ConfigReloaded(jobs, quarantined):
                for client in self._clients.values():
                    if client.jobs:
                        client.outbox.offer(names.CONFIG_RELOADED, {"jobs": jobs, "quarantined": quarantined})

    def _about_run(
        self, name: str, run_id: str, job: str, app: str, data: Callable[[], dict[str, Any]]
    ) -> None:
        interested = [
            client
            for client in self._clients.values()
            if (client.jobs or run_id in client.runs) and client.caller.may("read", job, app)
        ]
        if interested:
            shown = data()
            for client in interested:
                client.outbox.offer(name, shown)

    def _about_notice(self, event: Noticed) -> None:
        """For everybody who may read the job, and is meant; a page that was closed reads them by REST."""
        app = str(event.item.facts.get("app", ""))
        for client in self._clients.values():
            if sees(client.caller, event.roles) and client.caller.may("read", event.item.job, app):
                client.outbox.offer(names.NOTICE, notice(event.item, event.key))

    def _about_progress(self, event: StepProgressed) -> None:
        """For those who follow the run; a lost one is made good by the next."""
        run_id = f"r-{event.run_number}"
        shown = {"run_id": run_id, "job": event.job, "index": event.index, "name": event.name, **event.facts}
        for client in self._clients.values():
            if run_id in client.runs and client.caller.may("read", event.job, event.app):
                client.outbox.offer(names.STEP_PROGRESS, shown)

    async def _tell_pools(self) -> None:
        interested = [client for client in self._clients.values() if client.pools]
        if interested:
            stats = self._runtime.generation.connectors.pools.stats()
            for client in interested:
                client.outbox.offer(names.POOL_STATS, {"pools": stats})


def _headers(environ: Mapping[str, Any], auth: Any) -> dict[str, str]:
    """The handshake's headers; a token in its `auth` stands for the Authorization header."""
    scope = environ.get("asgi.scope", {})
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope.get("headers", ())}
    token = auth.get("token") if isinstance(auth, dict) else None
    if isinstance(token, str) and token:
        headers["authorization"] = f"Bearer {token}"
    return headers


def _address(environ: Mapping[str, Any]) -> str | None:
    client = environ.get("asgi.scope", {}).get("client")
    return client[0] if client else None


def _chunks(lines: list[LogLine]) -> list[list[LogLine]]:
    """Lines in messages of bounded size."""
    chunks: list[list[LogLine]] = []
    room = 0
    for line in lines:
        if not chunks or len(line.message) > room:
            chunks.append([])
            room = CHUNK_CHARACTERS
        chunks[-1].append(line)
        room -= len(line.message) + 100
    return chunks
