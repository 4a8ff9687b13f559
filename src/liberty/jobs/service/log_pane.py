"""A long log as a pane sees it: how many lines of which level and step, where the first error is, where a text is."""

import re
from collections import OrderedDict

from liberty.database import Database
from liberty.errors import Invalid
from liberty.jobs.run import Json, Run
from liberty.jobs.service.caller import Caller
from liberty.jobs.service.runs import RunReader
from liberty.jobs.service.wire import Wire
from liberty.jobs.store import log_views, logs
from liberty.jobs.store.log_views import LOOKED_THROUGH, Part
from liberty.jobs.store.logs import LEVELS

MAX_TEXT = 200
_TRY = re.compile(r"· try (\d{1,4}) of (\d{1,4})$")
_KEPT = 200  # summaries of runs that have ended, as a pane asks again when it is opened again


class LogPane:
    """Reads for the log pane; the caller's right to the run is checked by the reader of runs."""

    def __init__(self, *, database: Database, reader: RunReader) -> None:
        self._database = database
        self._reader = reader
        self._kept: OrderedDict[int, Wire] = OrderedDict()

    async def summary(self, run_id: str, caller: Caller, *, after: int = 0) -> Wire:
        """Counts by level and step of the lines numbered above `after`; 200,000 lines at most in one answer."""
        run = await self._reader.get(run_id, caller)
        if after == 0 and run.number in self._kept:
            return self._kept[run.number]
        last = await self._database.read(logs.last_seq, run.number)
        found = await self._database.read(log_views.parts, run.number, after)
        document = _summary(run, found, last, min(last, after + LOOKED_THROUGH))
        if after == 0 and run.status.final:
            self._kept[run.number] = document
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return document

    async def shape(self, run_id: str, caller: Caller, *, after: int = 0) -> Wire:
        """Level and step of every line numbered above `after`, 100,000 lines at most in one answer.

        With it a pane knows where each line stands, whatever is folded or hidden, before it has read any text.
        """
        run = await self._reader.get(run_id, caller)
        last = await self._database.read(logs.last_seq, run.number)
        found = await self._database.read(log_views.shape, run.number, after)
        reached = after + len(found.levels)
        begun = [(seq, _TRY.search(text)) for seq, text in found.tries]
        return {
            "after": after,
            "levels": found.levels,
            "parts": [{"step": step, "count": count} for step, count in found.parts],
            "tries": [
                {"seq": seq, "attempt": int(match[1]), "of": int(match[2])} for seq, match in begun if match
            ],
            "next_cursor": str(reached) if after < reached < last else None,
            "last_seq": max(last, reached),
            "dropped": run.log_dropped,
            "status": str(run.status),
        }

    async def search(
        self, run_id: str, text: str, caller: Caller, *, after: int, level: str | None, limit: int
    ) -> Wire:
        """Lines above `after` that hold `text`. `next_cursor` goes on where this answer stopped looking."""
        if not 1 <= len(text) <= MAX_TEXT or "\0" in text:
            raise Invalid(f"a text to search for has 1 to {MAX_TEXT} characters, NUL is none of them")
        run = await self._reader.get(run_id, caller)
        last = await self._database.read(logs.last_seq, run.number)
        found = await self._database.read(
            log_views.matches, run.number, text, after, level=level, limit=limit
        )
        reached = min(found.searched_to, last)
        return {
            "lines": list(found.lines),
            "count": len(found.lines),
            "searched_to": reached,
            "last_seq": last,
            "next_cursor": str(reached) if reached < last else None,
        }


def _summary(run: Run, parts: list[Part], last: int, reached: int) -> Wire:
    counts = dict.fromkeys(LEVELS, 0)
    first: dict[str, int] = {}
    steps: dict[str | None, list[Part]] = {}
    for part in parts:
        counts[part.level] = counts.get(part.level, 0) + part.count
        first[part.level] = min(part.first, first.get(part.level, part.first))
        steps.setdefault(part.step, []).append(part)
    folds: list[tuple[int, Json]] = [
        (
            min(part.first for part in several),
            {
                "step": name,
                "first_seq": min(part.first for part in several),
                "last_seq": max(part.last for part in several),
                "counts": {part.level: part.count for part in several},
                "first_error": min((part.first for part in several if part.level == "ERROR"), default=None),
            },
        )
        for name, several in steps.items()
    ]
    return {
        "last_seq": last,
        "counted_to": reached,
        "next_cursor": str(reached) if reached < last else None,
        "counts": dict(counts),
        "first_error": first.get("ERROR"),
        "first_warning": first.get("WARNING"),
        "steps": [fold for _, fold in sorted(folds, key=lambda item: item[0])],
        "dropped": run.log_dropped,
        "status": str(run.status),
    }
