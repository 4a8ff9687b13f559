"""`liberty-next`: starts the server, says where it is, and ends it in good order."""

import argparse
import asyncio
import contextlib
import gc
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, cast

from liberty import __version__, logs
from liberty.cli.stops import Stops
from liberty.errors import Invalid, LibertyError, Unavailable

if TYPE_CHECKING:
    from liberty.auth.accounts import FirstAdmin
    from liberty.cli.http_server import HttpServer
    from liberty.runtime import Runtime
    from liberty.settings import Settings

APPLICATION = "liberty.main:create_app"
SERVER_FILE = "server.json"
DEMO_FOLDER = Path("demo-run")
CONNECTIONS_SECONDS = 1.0  # for open streams to end once runs have
ANNOUNCE_SECONDS = 3.0
HURRY_SECONDS = 1.2  # for runs to be told and their end to be stored, after a second signal
CLOSE_SECONDS = 4.0
CLOSE_HURRIED_SECONDS = 0.4
GC_THRESHOLD = 20_000  # new objects between two looks for cycles


class Application(Protocol):
    """What this program needs of the application it serves."""

    @property
    def runtime(self) -> "Runtime": ...
    async def open(self) -> None: ...
    async def first_admin(self) -> "FirstAdmin": ...
    async def drain(self, seconds: float, *, hurry: bool = False) -> None: ...
    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Options:
    host: str | None
    port: int | None
    apps_dir: Path | None
    demo: bool


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Serve until told to stop; ends the process with 0, or 1 when the server could not start."""
    code = run(_parse(arguments))
    logs.flush()
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    # A step's thread that never returns must not keep the process.
    os._exit(code)


def run(options: _Options) -> int:
    """The same, returning the exit code."""
    try:
        load = _loader(options)
        settings = load()
    except (LibertyError, OSError) as error:
        return _cannot_start(error)
    logs.configure(settings.app)
    if settings.debug_config:
        _say(json.dumps(settings.describe(), indent=2))
    try:
        listener = _listen(settings.app.host, settings.app.port)
    except OSError as error:
        reason = error.strerror or str(error)
        return _cannot_start(
            Invalid(
                f"cannot listen on {settings.app.host}:{settings.app.port}: {reason}; "
                "stop what uses the port, or choose another with --port"
            )
        )
    with listener:
        return asyncio.run(_serve(load, settings, listener), loop_factory=_loop_factory())


def _parse(arguments: Sequence[str] | None) -> _Options:
    parser = argparse.ArgumentParser(
        prog="liberty-next", description="Schedules, runs and shows jobs.", allow_abbrev=False
    )
    parser.add_argument("--host", help="address to listen on (default: [app] host, else 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on; 0 takes a free one (default: 8000)")
    parser.add_argument("--apps-dir", type=Path, help="the config folder; stands for LIBERTY_APPS_DIR")
    parser.add_argument("--demo", action="store_true", help="lay out and serve a demo with real data")
    parser.add_argument("--version", action="version", version=f"nomaflow {__version__}")
    found = parser.parse_args(arguments)
    return _Options(found.host, found.port, found.apps_dir, found.demo)


def _loader(options: _Options) -> "Callable[[], Settings]":
    """What reads the settings, now and at every reload."""
    from liberty.settings import load_settings

    apps_dir = options.apps_dir
    if options.demo:
        from liberty.demo import lay_out

        target = DEMO_FOLDER
        if apps_dir is not None:
            target = apps_dir.parent if apps_dir.name == "config" else apps_dir
        _say(f"Laying out the demo in {target} …")
        apps_dir = lay_out(target)
    above = {"host": options.host, "port": options.port}
    overrides = {"app": {name: value for name, value in above.items() if value is not None}}
    # Files that say ${PORT} mean the port this server listens on.
    environ = {**os.environ, "PORT": str(options.port)} if options.port else None
    return partial(load_settings, environ, apps_dir=apps_dir, overrides=overrides)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except BaseException:
        listener.close()
        raise
    return listener


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:  # not made for this platform
        return asyncio.new_event_loop
    return cast(Callable[[], asyncio.AbstractEventLoop], uvloop.new_event_loop)


async def _serve(load: "Callable[[], Settings]", settings: "Settings", listener: socket.socket) -> int:
    from uvicorn.importer import import_from_string

    stops = Stops()
    application = cast(Application, import_from_string(APPLICATION)(load))
    server = _server(application, settings)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    try:
        await application.open()
    except LibertyError as error:
        server.leave()
        await serving
        return _cannot_start(error)
    try:
        with _server_file(application.runtime, _local_url(listener)):
            announcing = asyncio.create_task(_announce(application, _url(settings, listener)))
            await asyncio.wait((announcing, serving, stops.first), return_when=asyncio.FIRST_COMPLETED)
            # What is loaded by now stays; looking through it again and again would cost pauses of tens of ms.
            gc.freeze()
            gc.set_threshold(GC_THRESHOLD)
            await asyncio.wait((serving, stops.first), return_when=asyncio.FIRST_COMPLETED)
            # Who stops a first start at once is told how to sign in all the same, unless the database is away.
            await asyncio.wait((announcing,), timeout=ANNOUNCE_SECONDS)
            announcing.cancel()
            await _end(application, server, stops)
    finally:
        server.leave()
        await serving
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_HURRIED_SECONDS if stops.second.done() else CLOSE_SECONDS):
                await application.close()
    return 0


def _server(application: Application, settings: "Settings") -> "HttpServer":
    import uvicorn

    from liberty.cli.http_server import HttpServer

    proxies = list(settings.app.trusted_proxies)
    config = uvicorn.Config(
        cast(Any, application),
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=settings.app.log_level == "DEBUG",
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        server_header=False,
        timeout_graceful_shutdown=int(CONNECTIONS_SECONDS),
    )
    return HttpServer(config)


async def _end(application: Application, server: "HttpServer", stops: Stops) -> None:
    """Let runs finish, or stop them at once when told a second time."""
    seconds = application.runtime.settings.jobs.drain_seconds
    draining = asyncio.create_task(application.drain(seconds), name="drain")
    await asyncio.wait((draining, stops.second), return_when=asyncio.FIRST_COMPLETED)
    if draining.done():
        await draining
        return
    draining.cancel()
    server.force_exit = True
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(HURRY_SECONDS):
            await application.drain(0, hurry=True)


@contextlib.contextmanager
def _server_file(runtime: "Runtime", url: str) -> Iterator[None]:
    """While the server runs, a private file tells the command line of this machine how to reach it."""
    from liberty.toml_files import write_atomic

    path = runtime.settings.paths.data_dir / SERVER_FILE
    known = {"url": url, "token": runtime.accounts.authenticator.local_token(), "pid": os.getpid()}
    write_atomic(path, json.dumps(known) + "\n")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


async def _announce(application: Application, url: str) -> None:
    """The address and, once in a lifetime, how to sign in."""
    _say(f"Nomaflow {__version__} is at {url}")
    first = await application.first_admin()
    if not first.created:
        return
    if first.password is not None:
        _say(f"  First administrator: admin, password {first.password} (shown this once)")
    try:
        link = await application.runtime.accounts.sessions.create_link("admin")
    except Unavailable as error:
        _say(f"  No link to sign in with: {error.message}")
        return
    _say(f"  Sign in within ten minutes: {url}/auth/link?token={link}")


def _local_url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104 - as above
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _url(settings: "Settings", listener: socket.socket) -> str:
    return settings.app.public_url.rstrip("/") if settings.app.public_url else _local_url(listener)


def _cannot_start(error: Exception) -> int:
    logs.flush()
    problems = error.problems if isinstance(error, Invalid) else ()
    sentences = [str(problem) for problem in problems] or [str(error)]
    for sentence in sentences:
        print(f"liberty-next: {sentence}", file=sys.stderr, flush=True)  # noqa: T201 - said to whoever started it
    return 1


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - said to whoever started it
