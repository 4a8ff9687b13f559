"""How what is due looks as text."""

from collections.abc import Mapping
from typing import Any

from liberty.cli.terminal import Cell, Terminal, short_time

type Document = Mapping[str, Any]

_MEETS = {
    "skipped": "skipped: earlier run",
    "waits": "waits for the earlier run",
    "refused": "skipped: queue full",
    "replaces": "aborts the earlier run",
    "alongside": "beside the earlier run",
}


def show_calendar(terminal: Terminal, calendar: Document) -> None:
    """Clock changes first, then every instant, then what is foreseen."""
    for night in calendar["daylight"]:
        terminal.say(Cell(night["text"], "yellow"))
    if calendar["daylight"] and calendar["items"]:
        terminal.say("")
    if calendar["items"]:
        terminal.table(
            ["DUE", "THERE", "ZONE", "JOB", "SCHEDULE", ""],
            [
                [
                    short_time(due["at"]),
                    due["local"][11:16],
                    due["timezone"],
                    due["job"],
                    "" if due["schedule"] == "main" else due["schedule"].partition(":")[2],
                    due["held"] or _MEETS.get(due["meets"] or "", ""),
                ]
                for due in calendar["items"]
            ],
        )
    if calendar["truncated"]:
        terminal.say("There is more; ask for a shorter span.")
    if calendar["overlaps"] or calendar["crowded"]:
        terminal.say("")
    for overlap in calendar["overlaps"]:
        terminal.say(Cell(overlap["text"], "yellow"))
    for minute in calendar["crowded"]:
        begin = f"{minute['fires']} runs begin at {short_time(minute['at'])}, more than may run at once: "
        terminal.say(Cell(begin + ", ".join(minute["jobs"]), "yellow"))
