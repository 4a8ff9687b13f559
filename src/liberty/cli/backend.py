"""The one view commands have of jobs and runs, whether a server answers or this process works by itself.

Every answer has the shape that the REST API serves, so a command prints the same thing either way.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from liberty.cli.command import Arguments
from liberty.cli.server_address import Server

if TYPE_CHECKING:
    from liberty.jobs.service.operate import Then
    from liberty.settings import Settings

type Document = dict[str, Any]


class Backend(Protocol):
    """Jobs and runs. Every method raises LibertyError."""

    in_process: bool
    """Whether a run lives no longer than this process."""

    def jobs(self) -> list[Document]:
        """The job list, quarantined jobs included."""
        ...

    def job(self, name: str) -> Document:
        """One job as in the list, plus its `definition` and latest `runs`."""
        ...

    def runs(self, *, job: str | None, statuses: Sequence[str], limit: int) -> list[Document]:
        """The newest runs first."""
        ...

    def run(self, run_id: str) -> Document:
        """One run with its `steps` and the end of its log as `logs`."""
        ...

    def start(self, name: str, body: Mapping[str, Any], idempotency_key: str | None) -> Document:
        """Ask for a run; `{run_id, job, status}`."""
        ...

    def replay(self, run_id: str, body: Mapping[str, Any]) -> Document:
        """Ask for a run like a finished one; `{run_id, job, status, replay_of}`."""
        ...

    def abort(self, run_id: str) -> Document:
        """Ask a run to stop; the run."""
        ...

    def log(self, run_id: str, *, since: int = 0, level: str | None = None) -> Iterator[Document]:
        """The lines stored so far, numbered above `since`."""
        ...

    def follow(self, run_id: str, *, since: int = 0, level: str | None = None) -> Iterator[Document]:
        """The lines as they are stored, until the run has ended and all are told."""
        ...

    def why(self, name: str, at: str | None) -> Document:
        """`{at, verdict, run_id, text}`."""
        ...

    def schedule(self, since: str, until: str) -> Document:
        """What is due in that span as `items`, with `daylight`, `overlaps` and `crowded`."""
        ...

    def set_enabled(self, name: str, *, enabled: bool) -> Document:
        """Write it to the file the job comes from, and reload."""
        ...

    def pause(self, name: str, *, until: str | None, reason: str | None, then: "Then" = "drop") -> Document:
        """Hold back the job's fires."""
        ...

    def resume(self, name: str) -> Document:
        """End the pause."""
        ...

    def backfill(self, name: str, body: Mapping[str, Any]) -> Document:
        """Queue runs for past instants; `{backfill, job, instants, run_ids}`."""
        ...

    def backfills(self, name: str) -> list[Document]:
        """The job's backfills, newest first."""
        ...

    def cancel_backfill(self, name: str, number: int) -> Document:
        """End what waits of it and stop what runs; the backfill."""
        ...

    def plan(self, name: str, preset: str | None) -> Document:
        """What a run would do: `{job, definition_version, params, steps}`."""
        ...

    def marks(self, name: str) -> list[Document]:
        """How far the job's incremental steps have come."""
        ...

    def reset_mark(self, name: str, step: str, value: str | None) -> Document:
        """Let the next copy take everything, or go on from `value`; the mark."""
        ...

    def definition(self, name: str) -> Document:
        """The job as its file defines it: `toml`, `revision`, `problems`, `warnings`."""
        ...

    def save_definition(self, name: str, toml: str, revision: str) -> Document:
        """Write the job anew if it is still the one of that revision; the definition."""
        ...

    def delete_job(self, name: str) -> Document:
        """Take the job out of its file; `{name, file, toml}`."""
        ...

    def rename(self, name: str, to: str) -> Document:
        """Give the job another name, wherever jobs refer to it; the definition."""
        ...

    def duplicate(self, name: str, to: str) -> Document:
        """Another job like it, its schedules switched off; the definition."""
        ...

    def versions(self, name: str) -> list[Document]:
        """The newest versions of the definition, newest first."""
        ...

    def diff(self, name: str, old: int | None, new: int | None) -> Document:
        """What differs between two versions: `{from, to, unified, changes}`."""
        ...

    def restore(self, name: str, version: int) -> Document:
        """Write the job as it was in that version; the definition."""
        ...

    def channels(self) -> Document:
        """The channels as `items`, and the `problems` of their file."""
        ...

    def test_channel(self, channel: str, address: str | None) -> Document:
        """Send a test message: `{channel, ok, answer}`."""
        ...

    def incidents(self, *, state: str | None, job: str | None, limit: int) -> list[Document]:
        """The newest incidents first."""
        ...

    def deliveries(self, *, state: str | None, channel: str | None, limit: int) -> list[Document]:
        """The newest messages first, each with the answer it got."""
        ...

    def reload(self) -> Document:
        """`{reloaded_at, jobs, quarantined, problems}`."""
        ...

    def reload_plugin(self, name: str) -> Document:
        """`{plugin, modules}`."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


@contextmanager
def backend(arguments: Arguments, load: "Callable[[], Settings] | None" = None) -> Iterator[Backend]:
    """The named server, else the one that runs on this data folder, else this process itself."""
    chosen = choose(arguments.server, load)
    try:
        yield chosen
    finally:
        chosen.close()


def choose(server: str | None, load: "Callable[[], Settings] | None" = None) -> Backend:
    """As `backend`, for the value of `--server`. Raises UsageError for what is no address, Invalid for the files."""
    import os

    from liberty.cli.remote import RemoteBackend

    url = server or os.environ.get("LIBERTY_SERVER")
    if url:
        return RemoteBackend(Server(url, os.environ.get("LIBERTY_TOKEN") or None))
    from liberty.settings import load_settings

    load = load or load_settings
    running = running_server(load().paths.data_dir)
    if running is not None:
        return RemoteBackend(running)
    from liberty.cli.local import LocalBackend

    return LocalBackend(load)


def running_server(data_dir: Path) -> Server | None:
    """The server that says it runs on this data folder, if it lives and answers."""
    import json
    import os

    from liberty.cli.remote import answers

    try:
        descriptor = os.open(data_dir / "server.json", os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    with os.fdopen(descriptor, encoding="utf-8") as file:
        if os.fstat(descriptor).st_uid not in {os.geteuid(), 0}:
            return None
        try:
            found = json.load(file)
            server, pid = Server(str(found["url"]), str(found["token"])), int(found["pid"])
        except (ValueError, KeyError, TypeError):
            return None
    return server if _lives(pid) and answers(server.url) else None


def _lives(pid: int) -> bool:
    import os

    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return pid > 0
