"""Capture: what is said inside a scope goes to its log, all else where it always went; and it can be taken away."""

import contextvars
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from liberty.jobs.engine.capture import capture
from liberty.jobs.engine.run_log import RunLog
from liberty.jobs.engine.scope import Scope, current_scope

log = logging.getLogger("tests.capture")


@pytest.fixture(autouse=True)
def root_level() -> Iterator[None]:
    before = logging.getLogger().level
    logging.getLogger().setLevel(logging.INFO)
    yield
    logging.getLogger().setLevel(before)


@contextmanager
def installed() -> Iterator[None]:
    """Not a fixture: pytest gives every phase of a test a stdout of its own."""
    capture.install()
    try:
        yield
    finally:
        capture.remove()


def inside(function: Callable[[], object], run_log: RunLog, step: str | None = "s") -> None:
    context = contextvars.copy_context()
    context.run(current_scope.set, Scope(run_log, step))
    with installed():
        context.run(function)


def said(run_log: RunLog) -> list[tuple[str, str, str]]:
    return [(line.level, line.logger, line.message) for line in run_log.close()[0]]


def test_levels_are_the_four_that_are_shown() -> None:
    run_log = RunLog(limit_bytes=10_000, level="DEBUG")
    logging.addLevelName(25, "NOTICE")

    def talk() -> None:
        for level in (20, 25, 30, 35, 40, 50, 60):
            log.log(level, "at %d", level)

    inside(talk, run_log)
    assert [level for level, _, _ in said(run_log)] == [
        "INFO",
        "INFO",
        "WARNING",
        "WARNING",
        "ERROR",
        "ERROR",
        "ERROR",
    ]


def test_a_line_that_cannot_be_formatted_is_kept_as_it_is() -> None:
    class Rude:
        def __repr__(self) -> str:
            raise RuntimeError("no")

        __str__ = __repr__

    run_log = RunLog(limit_bytes=10_000)

    def talk() -> None:
        for text, argument in (
            ("%d", "no number"),
            ("%(missing)s", {"a": 1}),
            ("%s", Rude()),
            ("fine %s", "one"),
        ):
            record = logging.LogRecord("tests", logging.INFO, "file", 1, text, (argument,), None)
            capture._handler.handle(record)

    inside(talk, run_log)
    messages = [message for _, _, message in said(run_log)]
    assert ["cannot be formatted" in message for message in messages] == [True, True, True, False]
    assert messages[0].startswith("'%d'")


def test_an_exception_is_logged_with_its_traceback() -> None:
    run_log = RunLog(limit_bytes=10_000)

    def talk() -> None:
        try:
            raise ValueError("broken")
        except ValueError:
            log.exception("it failed")

    inside(talk, run_log)
    [(level, _, message)] = said(run_log)
    assert level == "ERROR"
    assert message.startswith("it failed\nTraceback")
    assert message.endswith("ValueError: broken")


def test_threads_and_pools_belong_to_the_scope_that_used_them() -> None:
    pool = ThreadPoolExecutor(1)
    logs = [RunLog(limit_bytes=10_000) for _ in range(2)]
    for number, run_log in enumerate(logs):

        def talk(number: int = number) -> None:
            pool.submit(log.info, "in the pool of %d", number).result()
            thread = threading.Thread(target=print, args=("in a thread of", number))
            thread.start()
            thread.join()

        inside(talk, run_log)
    pool.shutdown()
    for number, run_log in enumerate(logs):
        assert [message for _, _, message in said(run_log)] == [
            f"in the pool of {number}",
            f"in a thread of {number}",
        ]


def test_outside_a_scope_everything_is_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    with installed():
        print("outside")
        sys.stdout.flush()
        assert sys.stdout.encoding
        assert sys.stdout.writable()
        assert sys.stdout.isatty() is False
    assert capsys.readouterr().out == "outside\n"


def test_it_is_gone_once_everyone_has_removed_it() -> None:
    def parts() -> tuple[object, ...]:
        return sys.stdout, sys.stderr, threading.Thread.start, ThreadPoolExecutor.submit

    before = parts()
    with installed():
        within = parts()
        assert not set(map(id, within)) & set(map(id, before))
        with installed():
            assert parts() == within
        assert parts() == within
    assert parts() == before


def test_debug_is_let_through_only_while_a_run_wants_it() -> None:
    root = logging.getLogger()
    capture.begin("INFO")
    assert root.level == logging.INFO
    capture.begin("DEBUG")
    capture.begin("DEBUG")
    assert root.level == logging.DEBUG
    quiet, loud = RunLog(limit_bytes=1000), RunLog(limit_bytes=1000, level="DEBUG")
    for run_log in (quiet, loud):
        inside(lambda: log.debug("fine"), run_log)
    capture.end("DEBUG")
    assert root.level == logging.DEBUG
    capture.end("DEBUG")
    assert root.level == logging.INFO
    assert [len(said(run_log)) for run_log in (quiet, loud)] == [0, 1]
