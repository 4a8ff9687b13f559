"""The words of a message: one event in full, or many in one list, as text, HTML and JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from liberty.clock import rfc3339
from liberty.notify.store.incidents import Facts

_TITLES = {
    "failed": "FAILED",
    "still-failing": "STILL FAILING",
    "aborted": "ABORTED",
    "succeeded": "SUCCEEDED",
    "skipped": "SKIPPED",
    "missed": "MISSED",
    "recovered": "RECOVERED",
    "late": "LATE",
    "long-running": "LONG-RUNNING",
    "quarantined": "QUARANTINED",
    "channel-failing": "CHANNEL FAILING",
    "test": "TEST",
}
_SENTENCES = {
    "failed": "{job} failed",
    "still-failing": "{job} still fails",
    "aborted": "{job} was aborted",
    "succeeded": "{job} succeeded",
    "skipped": "{job} was skipped",
    "missed": "{job} was missed",
    "late": "{job} is late",
    "long-running": "{job} takes long",
    "quarantined": "{job} cannot run: its definition is wrong",
    "channel-failing": "{job} does not take messages",
    "test": "a test: this channel works",
}
_OVER = {
    "failed": "{job} works again",
    "late": "{job} has started",
    "long-running": "{job} has ended",
    "quarantined": "{job} can run again",
    "channel-failing": "{job} takes messages again",
}
MAX_LISTED = 50


@dataclass(frozen=True, slots=True)
class Item:
    """One event of a message. `count` is how often it has happened since `opened_at`, as the message leaves."""

    event: str
    incident: int
    job: str
    count: int
    opened_at: datetime
    facts: Facts


@dataclass(frozen=True, slots=True)
class Message:
    """What one channel gets at once. `key` stays the same however often it is sent."""

    key: str
    items: tuple[Item, ...]
    app_name: str
    address: str | None = None

    @property
    def subject(self) -> str:
        """`[Nomaflow] FAILED nightly-load`, as mail filters know it."""
        if len(self.items) == 1:
            return f"[Nomaflow] {_TITLES.get(self.items[0].event, 'NEWS')} {self.items[0].job}"
        return f"[Nomaflow] {summary(self.items)}"

    @property
    def text(self) -> str:
        """Plain text."""
        if len(self.items) == 1:
            return "\n".join([sentence(self.items[0]), *("  " + line for line in details(self.items[0]))])
        return "\n".join([f"{summary(self.items)}:", *(f"- {line}" for line in listed(self.items))])

    @property
    def one_line(self) -> str:
        """For chats: what, at which step, and the error."""
        if len(self.items) > 1:
            return self.text
        item = self.items[0]
        error = item.facts.get("error") or item.facts.get("detail")
        url = item.facts.get("url")
        parts = [sentence(item), f": {error}" if error else "", f" · {often(item)}" if often(item) else ""]
        return "".join(parts) + (f"\n{url}" if url else "")

    @property
    def mail_text(self) -> str:
        """The text, and the traceback of a single failure."""
        trace = self.items[0].facts.get("traceback") if len(self.items) == 1 else None
        return self.text + (f"\n\n{trace}" if trace else "") + f"\n\n-- \n{self.app_name} · Nomaflow\n"

    @property
    def html(self) -> str:
        """The same for mail programs; everything from outside is escaped."""
        if len(self.items) == 1:
            item = self.items[0]
            rows = "".join(f"<li>{_linked(line)}</li>" for line in details(item))
            trace = item.facts.get("traceback")
            body = f"<p><b>{escape(sentence(item))}</b></p><ul>{rows}</ul>"
            body += f"<pre>{escape(trace)}</pre>" if trace else ""
        else:
            rows = "".join(f"<li>{escape(line)}</li>" for line in listed(self.items))
            body = f"<p><b>{escape(summary(self.items))}</b></p><ul>{rows}</ul>"
        foot = f"<p style='color:#666'>{escape(self.app_name)} · Nomaflow</p>"
        return f"<!doctype html><html><body style='font-family:sans-serif'>{body}{foot}</body></html>"

    @property
    def fields(self) -> dict[str, Any]:
        """The facts by name: what a webhook gets, and what its template may say."""
        first = self.items[0]
        return {
            "event": first.event if len(self.items) == 1 else "digest",
            "job_id": first.job
            if len(self.items) == 1
            else ", ".join(item.job for item in self.items[:MAX_LISTED]),
            "run_id": first.facts.get("run_id"),
            "state": first.facts.get("state") or first.event,
            "step": first.facts.get("step"),
            "error": first.facts.get("error") or first.facts.get("detail"),
            "triggered_by": first.facts.get("triggered_by"),
            "started_at": first.facts.get("started_at"),
            "finished_at": first.facts.get("finished_at"),
            "duration_ms": first.facts.get("duration_ms"),
            "url": first.facts.get("url"),
            "incident": first.incident,
            "count": first.count if len(self.items) == 1 else sum(item.count for item in self.items),
            "subject": self.subject,
            "text": self.text,
            "items": [
                {
                    "event": item.event,
                    "incident": item.incident,
                    "job": item.job,
                    "count": item.count,
                    "since": rfc3339(item.opened_at),
                    "run_id": item.facts.get("run_id"),
                    "error": item.facts.get("error"),
                }
                for item in self.items
            ],
        }


def summary(items: Sequence[Item]) -> str:
    """`998 jobs failed (1,204 failures), 1 recovered`."""
    by_event: dict[str, list[Item]] = {}
    for item in items:
        by_event.setdefault(item.event, []).append(item)
    parts = []
    for event, some in by_event.items():
        jobs = f"{len(some):,} {'job' if len(some) == 1 else 'jobs'}"
        total = sum(item.count for item in some)
        counted = f" ({total:,} times)" if event in ("failed", "still-failing", "aborted") else ""
        parts.append(f"{jobs} {event.replace('-', ' ')}{counted}")
    return ", ".join(parts)


def listed(items: Sequence[Item]) -> list[str]:
    """A line for each, as far as a message can be read; the rest is counted."""
    lines = []
    for item in items[:MAX_LISTED]:
        error = item.facts.get("error") or item.facts.get("detail")
        lines.append(f"{sentence(item)} ({item.count:,}×){f': {error}' if error else ''}")
    rest = items[MAX_LISTED:]
    if rest:
        lines.append(f"and {summary(rest)}")
    return lines


def sentence(item: Item) -> str:
    """What happened, at which step."""
    if item.event == "recovered":
        pattern = _OVER.get(str(item.facts.get("was")), "{job}: over")
    else:
        pattern = _SENTENCES.get(item.event, "{job}")
    step = item.facts.get("step")
    told = pattern.format(job=item.job)
    return f"{told} at step {step}" if step and item.event in ("failed", "still-failing", "aborted") else told


def often(item: Item) -> str:
    """How often: in this incident, and lately."""
    parts = []
    since = f"{item.opened_at:%Y-%m-%d %H:%M} UTC"
    if item.event in ("failed", "still-failing", "aborted"):
        parts.append(f"{item.count:,} {'failure' if item.count == 1 else 'failures'} since {since}")
    elif item.event == "recovered" and item.facts.get("was") == "failed":
        parts.append(f"after {item.count:,} {'failure' if item.count == 1 else 'failures'} since {since}")
    if item.facts.get("failed_lately"):
        parts.append(f"{item.facts['failed_lately']} of the last {item.facts['lately']} runs failed")
    return ", ".join(parts)


def details(item: Item) -> list[str]:
    """The lines below the sentence."""
    facts = item.facts
    lines = []
    if facts.get("error") or facts.get("detail"):
        lines.append(str(facts.get("error") or facts.get("detail")))
    elif facts.get("reason"):
        lines.append(str(facts["reason"]))
    if facts.get("run_id"):
        took = facts.get("duration_ms")
        lines.append(
            f"run {facts['run_id']}, triggered by {facts.get('triggered_by')}"
            + (f", started {facts['started_at']}" if facts.get("started_at") else "")
            + (f", took {took / 1000:.1f} s" if took is not None else "")
        )
    if often(item):
        lines.append(often(item))
    if facts.get("url"):
        lines.append(str(facts["url"]))
    return lines


def _linked(line: str) -> str:
    safe = escape(line)
    return f'<a href="{safe}">{safe}</a>' if line.startswith(("http://", "https://")) else safe
