"""The program as one ASGI application: REST, Socket.IO and `/healthz` joined. `uvicorn liberty.main:app` serves it.

Importing this module is quick: the rest is imported when the application starts.
"""

import asyncio
import importlib
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from liberty.api.liveness import PATHS, Liveness

if TYPE_CHECKING:
    from fastapi import FastAPI

    from liberty.api.services import Services
    from liberty.auth.accounts import FirstAdmin
    from liberty.errors import LibertyError
    from liberty.live.hub import Hub
    from liberty.live.lazy import LazyHub
    from liberty.runtime import Runtime
    from liberty.settings import Settings

type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Asgi = Callable[[Message, Receive, Send], Awaitable[None]]

SOCKET_PATH = "/socket.io/"
ADMIN_PAUSE_SECONDS = 1.0
_HEAVY = ("liberty.runtime", "liberty.api.application")

_log = logging.getLogger("liberty.main")


class Application:
    """Opens the program when it is started and closes it when it is stopped; answers `/healthz` all the while.

    `load` reads the settings; by default from the environment.
    """

    def __init__(self, load: "Callable[[], Settings] | None" = None) -> None:
        self._load = load
        self.liveness = Liveness()
        self._api: Asgi | None = None
        self._sockets: LazyHub | None = None
        self._services: Services | None = None
        self._watching: asyncio.Task[None] | None = None
        self._opened = asyncio.Event()
        self._runtime: Runtime | None = None
        self._fastapi: FastAPI | None = None
        self._admin: asyncio.Task[FirstAdmin] | None = None

    @property
    def runtime(self) -> "Runtime":
        if self._runtime is None:
            raise RuntimeError("the application has not been started")
        return self._runtime

    @property
    def fastapi(self) -> "FastAPI":
        """The FastAPI application inside, for its OpenAPI document."""
        if self._fastapi is None:
            raise RuntimeError("the application has not been started")
        return self._fastapi

    @property
    def hub(self) -> "Hub | None":
        """The Socket.IO server; None until the first client has come."""
        return self._sockets.hub if self._sockets is not None else None

    async def first_admin(self) -> "FirstAdmin":
        """Whether the first administrator was made by this start; ends when it is known."""
        if self._admin is None:
            raise RuntimeError("the application has not been started")
        return await asyncio.shield(self._admin)

    async def open(self) -> None:
        """Import and open everything. Raises what `Runtime.open` raises."""
        await asyncio.to_thread(_import_all)
        from liberty import logs
        from liberty.api.access import EVENTS
        from liberty.api.application import build
        from liberty.api.services import Services
        from liberty.live.events import HANDLED, POOLS_SUBSCRIBE
        from liberty.live.lazy import LazyHub
        from liberty.runtime import Runtime
        from liberty.settings import load_settings
        from liberty.watch import watch

        logs.let_runs_log()
        runtime = await Runtime.open(self._load or load_settings, troubles=self.liveness.troubles)
        self._runtime = runtime
        password = runtime.settings.environ.get("LIBERTY_ADMIN_PASSWORD")
        self._admin = asyncio.create_task(_ensure_admin(runtime, password), name="first administrator")
        self._services = services = Services.of(runtime, self.liveness, self.first_admin)
        self._fastapi, self._api = build(services, HANDLED)
        self._sockets = LazyHub(runtime, pools_permissions=EVENTS[POOLS_SUBSCRIBE].permissions)
        if runtime.settings.app.watch_config:
            self._watching = asyncio.create_task(watch(runtime.settings, runtime.reload), name="file watcher")
        self.liveness.phase = "ok"
        self._opened.set()

    async def drain(self, seconds: float, *, hurry: bool = False) -> None:
        """Take no more work and wait up to `seconds` for what runs. `/healthz` says 503 from now on."""
        self.liveness.phase = "stopping"
        if self._runtime is not None:
            await self._runtime.engine.drain(seconds, hurry=hurry)

    async def close(self) -> None:
        """Let go of everything; runs still going are given `[jobs] drain_seconds`, unless `drain` was called."""
        drained = self.liveness.phase == "stopping"
        self.liveness.phase = "stopping"
        background = [task for task in (self._admin, self._watching) if task is not None]
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        if self._sockets is not None:
            await self._sockets.close()
        if self._services is not None:
            await self._services.close()
        if self._runtime is not None:
            if drained:
                await self._runtime.engine.drain(0)
            await self._runtime.close()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        path: str = scope["path"]
        root: str = scope.get("root_path", "")
        if root and path.startswith(f"{root}/"):
            # Below another application, or behind `uvicorn --root-path`: everything here knows its own paths only.
            path = path[len(root) :]
            scope = {**scope, "path": path}
        if self._api is None:
            if scope["type"] == "http" and path in PATHS:
                await self.liveness.answer(scope["method"], send)
                return
            await self._opened.wait()
        if self._sockets is not None and path.startswith(SOCKET_PATH):
            await self._sockets(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        elif self._api is not None:
            await self._api(scope, receive, send)

    def _configure_log(self) -> None:
        """For a server of somebody else's making, unless they have set up logging themselves."""
        from liberty import logs
        from liberty.settings import load_settings

        settings = (self._load or load_settings)()
        if not logging.getLogger().handlers:
            logs.configure(settings.app)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        from liberty.errors import LibertyError

        await receive()
        try:
            await asyncio.to_thread(self._configure_log)
            await self.open()
        except LibertyError as error:
            await send({"type": "lifespan.startup.failed", "message": _explained(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})


async def _ensure_admin(runtime: "Runtime", password: str | None) -> "FirstAdmin":
    """Tries until it is known: a database that goes away during a start does not end the program."""
    from liberty.errors import Unavailable

    while True:
        try:
            return await runtime.accounts.ensure_admin(password)
        except Unavailable as error:
            _log.warning("the first administrator has to wait: %s", error.message)
        await asyncio.sleep(ADMIN_PAUSE_SECONDS)


def _explained(error: "LibertyError") -> str:
    """Why the start failed, one sentence per problem."""
    from liberty.errors import Invalid

    problems = error.problems if isinstance(error, Invalid) else ()
    return "\n".join(map(str, problems)) or error.message


def _import_all() -> None:
    """In a thread, so that `/healthz` is answered meanwhile."""
    for name in _HEAVY:
        importlib.import_module(name)


def create_app(load: "Callable[[], Settings] | None" = None) -> Application:
    """The application; `load` reads the settings, by default from the environment."""
    return Application(load)


app = create_app()
asgi_app = app

__all__ = ["Application", "app", "asgi_app", "create_app"]
