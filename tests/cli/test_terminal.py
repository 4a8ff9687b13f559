"""What is printed."""

import sys

import pytest

from liberty.cli.terminal import Cell, Terminal, local_time, span, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain äé€", "plain äé€"),
        ("a\tb", "a\tb"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("one\ntwo\r", "one\\ntwo\\r"),
        ("\x9b2J", "\\x9b2J"),
        ("a\u202eb", "a\\u202eb"),
        ("\x00\x07", "\\x00\\x07"),
    ],
)
def test_what_drives_a_terminal_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def line(message: str, logger: str = "app", level: str = "INFO") -> dict[str, object]:
    return {
        "seq": 1,
        "ts": "2026-03-29T00:00:00.123Z",
        "level": level,
        "logger": logger,
        "step": None,
        "message": message,
    }


def test_a_record_is_one_line_and_its_further_lines_are_indented(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().log_line(line("first\n2026-03-29 INFO  forged \x1b[0m\n", level="ERROR"))
    at = local_time("2026-03-29T00:00:00.123Z")
    assert capsys.readouterr().out == f"{at} ERROR app first\n    2026-03-29 INFO  forged \\x1b[0m\n    \n"


def test_a_logger_that_the_message_names_is_not_named_twice(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().log_line(line("nomaflow.python start run=r-1", logger="nomaflow.python"))
    assert capsys.readouterr().out.endswith(" INFO  nomaflow.python start run=r-1\n")


def test_a_table_is_aligned_and_has_no_trailing_blanks(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().table(
        ["NAME", "STATE", "NOTE"], [["long-name", Cell("ok", "green"), ""], ["x\x1b", "failed", "why"]]
    )
    assert capsys.readouterr().out.splitlines() == [
        "NAME       STATE   NOTE",
        "long-name  ok",
        "x\\x1b      failed  why",
    ]


class _Screen:
    """Standard output that says it is a terminal."""

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colour_is_for_a_terminal_that_wants_it(
    monkeypatch: pytest.MonkeyPatch, no_color: str, coloured: bool
) -> None:
    screen = _Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", no_color)
    Terminal().say("it ", Cell("failed [bold]", "red"), " \x1b[31m")
    assert ("\x1b[31mfailed" in screen.text) is coloured
    assert "[bold]" in screen.text
    assert "\\x1b[31m" in screen.text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, "-"),
        (0, "0 ms"),
        (999, "999 ms"),
        (1500, "1.5 s"),
        (60_000, "1 min 0 s"),
        (3_660_000, "1 h 1 min"),
    ],
)
def test_a_span_reads_well(milliseconds: int | None, text: str) -> None:
    assert span(milliseconds) == text
