"""One real server process: started, asked over REST, and hurt with signals."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from liberty.errors import Unavailable

START_SECONDS = 90.0
ASK_SECONDS = 15.0
LOOK_SECONDS = 0.05

# Linux kills it with us, so that an experiment that is killed itself leaves nothing running.
_SERVE = """\
import ctypes, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
from liberty.cli.server import main
main(["--port", "0"])
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said."""

    status: int
    body: Any


class Replica:
    """`liberty-next` on an apps repository, with a data folder of its own. One process at a time."""

    def __init__(
        self, name: str, folder: Path, environ: Mapping[str, str], prefix: Sequence[str] = ()
    ) -> None:
        self.name = name
        self.folder = folder
        self.log = folder / "server.log"
        self.pids: list[int] = []
        """Of every process it ever had."""
        self.paused = False
        self._environ = environ
        self._prefix = prefix
        self._process: subprocess.Popen[bytes] | None = None
        self._url = ""
        self._session: aiohttp.ClientSession | None = None

    @property
    def pid(self) -> int:
        return self.pids[-1]

    @property
    def url(self) -> str:
        return self._url

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def usable(self) -> bool:
        return self.alive and not self.paused

    # -- life and death

    async def start(self) -> None:
        """Return when it serves. Raises Unavailable with the end of its log when it does not come up."""
        await self.kill()  # one that never came up
        announced = self.folder / "server.json"
        announced.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603, ASYNC220 - our own program, and a start is short
                [*self._prefix, sys.executable, "-c", _SERVE],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=dict(self._environ),
            )
        self.pids.append(self._process.pid)
        self.paused = False
        deadline = time.monotonic() + START_SECONDS
        while not announced.exists():
            if not self.alive or time.monotonic() > deadline:
                raise Unavailable(f"{self.name} does not come up: {self.last_words()}")
            await asyncio.sleep(LOOK_SECONDS)
        known = json.loads(announced.read_text())
        self._url = known["url"]
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {known['token']}"},
            timeout=aiohttp.ClientTimeout(total=ASK_SECONDS),
            connector=aiohttp.TCPConnector(limit=0),
        )

    def last_words(self) -> str:
        return (
            self.log.read_text(errors="replace")[-1500:].strip() if self.log.exists() else "it said nothing"
        )

    async def kill(self) -> None:
        """As the kernel does when memory is short."""
        if self._process is not None:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)
        await self._forget()

    def terminate(self) -> None:
        """Ask it to stop."""
        self._signal(signal.SIGTERM)

    async def exited(self, within: float) -> int | None:
        """Its exit code; None when it is still there after `within` seconds."""
        if self._process is None:
            return None
        try:
            return await asyncio.to_thread(self._process.wait, within)
        except subprocess.TimeoutExpired:
            return None

    def pause(self) -> None:
        """Hold the process still, as a virtual machine that is being moved."""
        self._signal(signal.SIGSTOP)
        self.paused = True

    def resume(self) -> None:
        self._signal(signal.SIGCONT)
        self.paused = False

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    async def _forget(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    # -- asking

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        within: float = ASK_SECONDS,
    ) -> Answer:
        """Raises Unavailable when no answer comes."""
        session = self._session
        if session is None:
            raise Unavailable(f"{self.name} is down")
        try:
            async with session.request(
                method,
                self._url + path,
                json=body,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=within),
            ) as answer:
                text = await answer.text()
                return Answer(answer.status, json.loads(text) if text else None)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, RuntimeError) as error:
            raise Unavailable(f"{self.name} does not answer: {type(error).__name__}: {error}") from error

    async def get(self, path: str) -> Any:
        """The JSON of a page. Raises Unavailable for no answer and for any answer but 200."""
        answer = await self.ask("GET", path)
        if answer.status != 200:
            raise Unavailable(f"{self.name} answers {answer.status} to {path}: {answer.body}")
        return answer.body

    async def read_stream(self, path: str) -> None:
        """Read an answer that goes on for ever, until the server ends it. Raises aiohttp.ClientError, OSError."""
        if self._session is None:
            return
        async with self._session.get(self._url + path, timeout=aiohttp.ClientTimeout(total=None)) as answer:
            async for _ in answer.content:
                pass

    async def trigger(self, job: str, key: str | None = None) -> dict[str, Any]:
        """Start a run by hand; what was answered. Raises Unavailable when it was not accepted."""
        headers = None if key is None else {"Idempotency-Key": key}
        answer = await self.ask("POST", f"/admin/jobs/{job}/run", {}, headers=headers)
        if answer.status != 202:
            raise Unavailable(f"{self.name} answers {answer.status} to a start of {job}: {answer.body}")
        found: dict[str, Any] = answer.body
        return found


def plain_environ(**more: str) -> dict[str, str]:
    """This process's environment without settings of ours, and `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIBERTY_")}
    return {**kept, "PYTHONUNBUFFERED": "1", **more}
