"""`liberty-admin worker`: a replica that only runs what others have queued: no HTTP, no schedules."""

import asyncio
import contextlib
import os
import sys
from functools import partial
from typing import TYPE_CHECKING

from liberty.cli import exits
from liberty.cli.command import Arguments, Command, Parser
from liberty.cli.stops import Stops

if TYPE_CHECKING:
    from liberty.runtime import Runtime
    from liberty.settings import Settings

HURRY_SECONDS = 1.5  # for everything, after a second signal


def worker(arguments: Arguments) -> int:
    """Run what is queued until told to stop; SIGTERM or Ctrl-C lets runs finish, a second one does not."""
    from liberty import logs
    from liberty.settings import load_settings

    overrides = {"jobs": {"max_concurrent_runs": arguments.concurrency}} if arguments.concurrency else {}
    load = partial(load_settings, overrides=overrides)
    settings = load()
    logs.configure(settings.app)
    asyncio.run(_work(load))
    logs.flush()
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    # A step's thread that never returns must not keep the process.
    os._exit(exits.OK)


async def _work(load: "partial[Settings]") -> None:
    from liberty.runtime import Runtime

    stops = Stops()
    runtime = await Runtime.open(load, role="worker")
    print(f"worker {runtime.engine.replica} is ready", flush=True)  # noqa: T201 - said to whoever started it
    await asyncio.wait((stops.first,))
    await _end(runtime, stops.second)


async def _end(runtime: "Runtime", second: "asyncio.Future[None]") -> None:
    closing = asyncio.create_task(runtime.close(), name="close")
    await asyncio.wait((closing, second), return_when=asyncio.FIRST_COMPLETED)
    if closing.done():
        await closing
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(HURRY_SECONDS):
            await runtime.engine.drain(0, hurry=True)


def _configure(parser: Parser) -> None:
    parser.add_argument(
        "--concurrency",
        type=int,
        metavar="N",
        help="runs at the same time (default: [jobs] max_concurrent_runs)",
    )


VERB = Command("run what is queued, beside servers on the same PostgreSQL", worker, _configure)
