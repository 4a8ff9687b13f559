"""The log of the process: its two forms, that nothing is lost, that no secret and no flood gets through."""

import io
import json
import logging
import threading
from collections.abc import Iterator
from typing import Literal

import pytest

from liberty import logs
from liberty.secrets import redactor
from liberty.settings import AppSettings

type Form = Literal["text", "json"]


@pytest.fixture(params=["text", "json"])
def form(request: pytest.FixtureRequest) -> Form:
    found: Form = request.param
    return found


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The root logger writes text into this."""
    yield from logging_into("text")


def logging_into(form: Form, level: str = "INFO") -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.level
    stream = io.StringIO()
    made = logs.configure(AppSettings.model_validate({"log_format": form, "log_level": level}), stream=stream)
    try:
        yield stream
    finally:
        root.removeHandler(made)
        made.close()
        root.setLevel(before)
        logging.captureWarnings(capture=False)


def test_text_starts_with_the_level_and_names_a_logger_once(log: io.StringIO) -> None:
    logging.getLogger("liberty.plugins").info("liberty.plugins importable from %s", "/opt/apps/plugins")
    logging.getLogger("billing").warning("odd")
    logs.flush()
    assert log.getvalue() == "INFO  liberty.plugins importable from /opt/apps/plugins\nWARNING billing odd\n"


def test_every_line_of_a_traceback_starts_with_the_level(log: io.StringIO) -> None:
    try:
        raise RuntimeError("db connection refused")
    except RuntimeError:
        logging.getLogger("nomaflow.python").exception("nomaflow.python run=r-1 raised")
    logs.flush()
    lines = log.getvalue().splitlines()
    assert lines[0] == "ERROR nomaflow.python run=r-1 raised"
    assert lines[1] == "ERROR Traceback (most recent call last):"
    assert lines[-1] == "ERROR RuntimeError: db connection refused"
    assert all(line.startswith("ERROR ") for line in lines)


def test_json_has_one_object_per_record() -> None:
    for stream in logging_into("json"):
        logging.getLogger("billing").info("two\nlines", extra={"period": "2026-05"})
        logs.flush()
        entry = json.loads(stream.getvalue())
        assert entry | {"ts": ""} == {
            "ts": "",
            "level": "INFO",
            "logger": "billing",
            "msg": "two\nlines",
            "period": "2026-05",
        }
        assert entry["ts"].endswith("Z")


def test_a_secret_does_not_get_through(form: Form) -> None:
    redactor.register("canary-for-the-log")
    for stream in logging_into(form):
        logging.getLogger("x").warning("password is %s", "canary-for-the-log")
        logs.flush()
        assert "canary" not in stream.getvalue()
        assert "***" in stream.getvalue()


def test_a_level_hides_what_is_below_it_and_still_lets_runs_have_it() -> None:
    for stream in logging_into("text", level="ERROR"):
        logging.getLogger("x").warning("quiet")
        logging.getLogger("x").error("loud")
        logs.flush()
        assert stream.getvalue() == "ERROR x loud\n"
        assert logging.getLogger("x").isEnabledFor(logging.INFO)


def test_lines_of_many_threads_are_all_written(log: io.StringIO) -> None:
    def write(name: int) -> None:
        for number in range(500):
            logging.getLogger("t").info("%d %d", name, number)

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    logs.flush()
    assert len(set(log.getvalue().splitlines())) == 2000


def test_a_flood_is_cut_and_says_by_how_much(log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "BACKLOG_LINES", 10)
    monkeypatch.setattr(logs, "FLUSH_SECONDS", 3600)
    logger = logging.getLogger("flood")
    logger.info("wakes the writer, which then sleeps")
    logs.flush()
    for number in range(25):
        logger.info("%d", number)
    logs.flush()
    told = [line for line in log.getvalue().splitlines() if "dropped" in line]
    written = [line for line in log.getvalue().splitlines() if line.startswith("INFO  flood ")]
    assert told == [f"WARNING liberty.logs {26 - len(written)} log lines dropped: written faster than shown"]


def test_a_message_that_cannot_be_formatted_is_written_all_the_same(log: io.StringIO) -> None:
    logger = logging.getLogger("x")
    record = logger.makeRecord("x", logging.INFO, "file", 1, "%d lines", ("many",), None)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logs.Log):
            handler.handle(record)
    logs.flush()
    assert "'%d lines' with arguments ('many',) cannot be formatted" in log.getvalue()
