"""The log of one run in memory: numbered without gap, cut with an exact count, safe to store."""

import threading

import pytest

from liberty.jobs.engine.run_log import LINE_LIMIT, TAIL_LINES, RunLog
from liberty.secrets import redactor


def add(log: RunLog, *messages: str, step: str | None = "s") -> None:
    for message in messages:
        log.add(1000.0, "INFO", "logger", step, message)


def test_lines_are_numbered_on_over_batches() -> None:
    log = RunLog(limit_bytes=1000)
    pending = [log.has_pending]
    add(log, "a", "b")
    assert [*pending, log.has_pending] == [False, True]
    assert [(line.seq, line.message) for line in log.take()] == [(1, "a"), (2, "b")]
    assert log.take() == []
    add(log, "c")
    lines, dropped = log.close()
    assert [(line.seq, line.message, line.step) for line in lines] == [(3, "c", "s")]
    assert dropped == 0


@pytest.mark.parametrize("after_head", [0, 1, TAIL_LINES, TAIL_LINES + 1, 1000])
def test_a_cut_log_says_exactly_what_is_missing(after_head: int) -> None:
    log = RunLog(limit_bytes=30)
    add(log, *(f"{n:03}" for n in range(10 + after_head)))
    stored = log.take()
    lines, dropped = log.close()
    everything = [*stored, *lines]
    assert [line.seq for line in everything] == list(range(1, len(everything) + 1))
    messages = [line.message for line in everything]
    assert dropped == max(0, after_head - TAIL_LINES)
    notes = [m for m in messages if "dropped" in m]
    assert len(notes) == (dropped > 0)
    assert len(messages) - len(notes) + dropped == 10 + after_head
    if notes:
        assert f"{dropped} lines dropped" in notes[0]
        assert messages[10] == notes[0]
    assert messages[-1] == f"{9 + after_head:03}"


def test_once_cut_a_short_line_does_not_slip_back_into_the_head() -> None:
    log = RunLog(limit_bytes=10)
    add(log, "12345", "x" * 50, "1")
    lines, dropped = log.close()
    assert [line.message for line in lines] == ["12345", "x" * 50, "1"]
    assert dropped == 0


def test_after_its_end_lines_are_only_counted() -> None:
    log = RunLog(limit_bytes=100)
    log.close()
    add(log, "late")
    log.write("INFO", "stdout", None, "late\n")
    assert (log.take(), log.late) == ([], 2)


def test_a_long_line_is_cut_and_says_so() -> None:
    log = RunLog(limit_bytes=10**9)
    add(log, "x" * LINE_LIMIT, "x" * (LINE_LIMIT + 7), "x" * 50_000_000)
    first, second, third = log.take()
    assert first.message == "x" * LINE_LIMIT
    assert second.message == "x" * LINE_LIMIT + "… [7 characters cut]"
    assert third.message == "x" * LINE_LIMIT + f"… [{50_000_000 - LINE_LIMIT} characters cut]"


@pytest.mark.parametrize("place", range(-40, 45, 7))
def test_a_secret_at_the_cut_leaves_no_part_behind(place: int) -> None:
    secret = "geheimnis-in-the-log-of-a-run"
    redactor.register(secret)
    for length in (LINE_LIMIT, LINE_LIMIT + 4096):
        log = RunLog(limit_bytes=10**9)
        add(log, "x" * (length + place) + secret + "y" * 100)
        [line] = log.take()
        assert "geheim" not in line.message
        assert "of-a-run" not in line.message


def test_what_no_database_holds_is_shown_as_an_escape() -> None:
    log = RunLog(limit_bytes=1000)
    log.add(1000.0, "INFO", "odd\0name", None, "nul \0, half \ud800, fine é 🎉")
    [line] = log.take()
    assert line.message == "nul \\x00, half \\ud800, fine é 🎉"
    assert line.logger == "odd\\x00name"


def test_printed_text_becomes_whole_lines() -> None:
    log = RunLog(limit_bytes=1000)
    for text in ("one", "\n", "two\nthr", "ee\nfour"):
        log.write("INFO", "stdout", "s", text)
    assert [line.message for line in log.take()] == ["one", "two", "three"]
    log.write("INFO", "stderr", "s", "other stream")
    log.finish_lines()
    assert [(line.logger, line.message) for line in log.take()] == [
        ("stdout", "four"),
        ("stderr", "other stream"),
    ]
    log.write("INFO", "stdout", "s", "left over")
    assert [line.message for line in log.close()[0]] == ["left over"]


def test_a_line_that_never_ends_does_not_grow_for_ever() -> None:
    log = RunLog(limit_bytes=10**9)
    for _ in range(30):
        log.write("INFO", "stdout", "s", "." * 1000)
    assert len(log.take()) >= 3


def test_threads_keep_their_own_lines_and_lose_none() -> None:
    log = RunLog(limit_bytes=10**9)

    def talk(number: int) -> None:
        for line in range(300):
            log.write("INFO", "stdout", "s", f"{number}:")
            log.write("INFO", "stdout", "s", f"{line}\n")

    threads = [threading.Thread(target=talk, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    taken = []
    while any(thread.is_alive() for thread in threads):
        taken += log.take()
    taken += log.close()[0]
    assert [line.seq for line in taken] == list(range(1, 1801))
    for number in range(6):
        mine = [line.message for line in taken if line.message.startswith(f"{number}:")]
        assert mine == [f"{number}:{line}" for line in range(300)]
