"""From the end of a run to what a channel gets: failed, recovered, in a row, long-running, late, missed, aborted."""

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from liberty.jobs.run import NewRun, Trigger
from liberty.jobs.store import alert_events, pauses, runs
from liberty.jobs.store.pauses import Pause
from liberty.notify.store import deliveries, incidents
from tests.factories import AppsRepo, Program, eventually, python_job
from tests.notify.conftest import Hook

PLUGIN = """
def fails(ctx):
    raise ValueError("first line\\nno table called orders")

def turns(ctx, ok=False):
    if not ok:
        raise ValueError("not yet")

async def waits(ctx):
    mark(ctx, "waiting")
    await asyncio.sleep(60)
"""


def hooked(hook: Hook, more: str = "") -> str:
    return f"""
[defaults]
recipients = ["ops"]
[channels.ops]
type = "webhook"
url = "{hook.url}"
{more}
"""


def job(name: str, function: str, *alerts: str) -> str:
    return python_job(name, function, "[jobs.alerts]", *alerts)


async def told(hook: Hook, count: int, of: str | None = None) -> list[str]:
    await eventually(lambda: len(hook.events(of)) >= count, what=f"{count} events at the hook")
    return hook.events(of)


async def settled(program: Program) -> None:
    """Return when no event and no message waits."""
    database = program.runtime.database

    async def nothing_waits() -> bool:
        if await database.read(alert_events.waiting, 1):
            return False
        return await database.read(deliveries.next_due) is None

    await eventually(nothing_waits)


async def test_a_failure_is_told_at_once_with_what_a_person_wants_to_know(
    repo_on_both: AppsRepo, hook: Hook
) -> None:
    repo_on_both.plugin(PLUGIN).jobs(job("nightly", "fails"))
    repo_on_both.app('[app]\npublic_url = "https://jobs.corp.example/"\n')
    repo_on_both.notifications(hooked(hook, 'secret = "a-signing-secret"'))
    async with repo_on_both.running("server") as program:
        detail = await program.run("nightly")
        began = time.monotonic()
        assert await told(hook, 1) == ["failed"]
        assert time.monotonic() - began < 10
        await settled(program)
    (body,), (request,) = hook.bodies, hook.requests
    run_id = detail.run.run_id
    assert body["error"] == "ValueError: no table called orders"
    assert (body["job_id"], body["run_id"], body["state"], body["step"]) == (
        "nightly",
        run_id,
        "failed",
        "only",
    )
    assert body["url"] == f"https://jobs.corp.example/nomaflow/runs/{run_id}"
    assert "1 of the last 1 runs failed" in body["text"]
    assert body["subject"] == "[Nomaflow] FAILED nightly"
    signed = f"{request.headers['X-Nomaflow-Timestamp']}.".encode() + request.get_data()
    expected = hmac.new(b"a-signing-secret", signed, hashlib.sha256).hexdigest()
    assert request.headers["X-Nomaflow-Signature"] == f"sha256={expected}"
    assert request.headers["Idempotency-Key"].startswith("nf-")


async def test_one_incident_until_it_is_over(repo_on_both: AppsRepo, hook: Hook) -> None:
    repo_on_both.plugin(PLUGIN).jobs(job("nightly", "turns", "on_failure = true"))
    repo_on_both.notifications(hooked(hook))
    async with repo_on_both.running("server") as program:
        for _ in range(3):
            await program.run("nightly")
        await settled(program)
        await program.run("nightly", op_kwargs={"only": {"ok": True}})
        assert await told(hook, 2) == ["failed", "recovered"]
        assert hook.bodies[1]["count"] == 3
        assert "after 3 failures" in hook.bodies[1]["text"]
        await program.run("nightly")
        assert await told(hook, 3) == ["failed", "recovered", "failed"]
        await settled(program)
        found = await program.runtime.database.read(
            incidents.page, job=None, is_open=None, before=None, count=9
        )
    assert [(one.kind, one.count, one.closed_at is None) for one in found] == [
        ("failed", 1, True),
        ("failed", 3, False),
    ]


async def test_failures_are_announced_from_a_number_in_a_row_or_among_the_last(
    repo: AppsRepo, hook: Hook
) -> None:
    repo.plugin(PLUGIN).jobs(
        job("in-a-row", "turns", "after_failures = 3")
        + job("often", "turns", "after_failures = 2", "of_last = 4")
    )
    repo.notifications(hooked(hook))
    good = {"op_kwargs": {"only": {"ok": True}}}
    async with repo.running("server") as program:
        for values in ({}, {}, good, {}, {}):
            await program.run("in-a-row", **values)
        for values in ({}, good, good):
            await program.run("often", **values)
        await settled(program)
        assert hook.events() == []
        await program.run("in-a-row")
        assert await told(hook, 1, "in-a-row") == ["failed"]
        await program.run("often")
        assert await told(hook, 1, "often") == ["failed"]
    counts = {body["job_id"]: body["count"] for body in hook.bodies}
    assert counts == {"in-a-row": 3, "often": 2}


async def test_nothing_is_stored_for_jobs_that_say_nothing(repo: AppsRepo, hook: Hook) -> None:
    repo.plugin(PLUGIN).jobs(
        python_job("silent", "fails") + job("muted", "fails", "on_failure = false") + job("fine", "turns")
    )
    repo.notifications(hooked(hook))
    async with repo.running("cli") as program:
        await program.run("silent")
        await program.run("muted")
        await program.run("fine", op_kwargs={"only": {"ok": True}})
        assert await program.runtime.database.read(alert_events.waiting, 9) == []


async def test_what_fails_without_a_server_is_told_by_the_next_one(repo: AppsRepo, hook: Hook) -> None:
    repo.plugin(PLUGIN).jobs(job("nightly", "fails"))
    repo.notifications(hooked(hook))
    async with repo.running("cli") as program:
        await program.run("nightly")
    assert hook.bodies == []
    async with repo.running("server"):
        assert await told(hook, 1) == ["failed"]


async def test_a_long_run_is_told_while_it_runs_and_its_abort_afterwards(repo: AppsRepo, hook: Hook) -> None:
    repo.plugin(PLUGIN).jobs(job("slow", "waits", "on_long_run_minutes = 0.001"))
    repo.notifications(hooked(hook))
    async with repo.running("server") as program:
        run = await program.start("slow")
        assert await told(hook, 1) == ["long-running"]
        assert hook.bodies[0]["state"] == "running"
        await program.abort(run)
        await program.ended(run)
        assert sorted(await told(hook, 3)) == ["aborted", "long-running", "recovered"]
        await settled(program)
    over = next(body for body in hook.bodies if body["event"] == "recovered")
    assert over["text"].startswith("slow has ended")


async def test_a_run_that_was_due_and_waits_is_late(repo: AppsRepo, hook: Hook) -> None:
    repo.plugin(PLUGIN).jobs(
        python_job("waits", "waits")
        + job("queued", "turns", "late_after_minutes = 5")
        + "op_kwargs = { ok = true }\n"
    )
    repo.app(max_concurrent_runs=1).notifications(hooked(hook))
    async with repo.running("server") as program:
        blocking = await program.start("waits")
        await program.marked("waiting")
        due = datetime.now(UTC) - timedelta(minutes=6)
        new = NewRun(
            job="queued", app="default", trigger=Trigger("cron", "cron", due, "main"), exclusive=False
        )
        await program.runtime.database.write(runs.insert_queued, new, datetime.now(UTC))
        assert await told(hook, 1) == ["late"]
        assert "due more than 5 minutes ago" in hook.bodies[0]["text"]
        await program.abort(blocking)
        assert "recovered" in await told(hook, 2, "queued")


async def test_a_due_run_that_was_held_back_is_told_once(repo: AppsRepo, hook: Hook) -> None:
    every_second = 'schedule = "* * * * * *"'
    repo.plugin(PLUGIN).jobs(python_job("often", "turns", every_second, "[jobs.alerts]", "on_skipped = true"))
    repo.notifications(hooked(hook))
    async with repo.running("server") as program:
        pause = Pause("often", datetime.now(UTC), None, "moving house", "drop", "alice")
        await program.runtime.database.write(pauses.put, pause)
        await program.runtime.scheduler.refresh_pauses()
        await eventually(lambda: "skipped" in hook.events())
        assert "paused by alice: moving house" in next(
            b["text"] for b in hook.bodies if b["event"] == "skipped"
        )


@pytest.mark.parametrize(
    ("reason", "event"), [("missed: scheduler was down", "missed"), ("skipped: paused by alice", "skipped")]
)
async def test_what_nobody_started_is_missed_and_what_was_held_back_is_skipped(
    repo: AppsRepo, hook: Hook, reason: str, event: str
) -> None:
    repo.plugin(PLUGIN).jobs(job("nightly", "turns", "on_skipped = true")).notifications(hooked(hook))
    async with repo.running("server") as program:
        database, due = program.runtime.database, datetime.now(UTC)
        new = NewRun(
            job="nightly", app="default", trigger=Trigger("cron", "cron", due, "main"), exclusive=False
        )
        made = await database.write(runs.insert_skipped, new, reason, due)
        await database.write(alert_events.add, alert_events.of_run(made.run))
        assert await told(hook, 1) == [event]


async def test_a_job_that_cannot_be_loaded_is_told_until_it_can(repo: AppsRepo, hook: Hook) -> None:
    repo.plugin(PLUGIN).jobs('[[jobs]]\nname = "nightly"\nschedul = "0 2 * * *"\n')
    repo.notifications(hooked(hook))
    async with repo.running("server") as program:
        assert await told(hook, 1) == ["quarantined"]
        assert "schedul" in hook.bodies[0]["error"]
        await program.runtime.reload()
        await settled(program)
        repo.jobs(python_job("nightly", "turns"))
        await program.runtime.reload()
        assert await told(hook, 2) == ["quarantined", "recovered"]


async def test_secrets_do_not_leave(repo: AppsRepo, hook: Hook) -> None:
    repo.keys["DB_PASSWORD"] = "swordfish-77"
    repo.plugin(
        """
        def fails(ctx, password=None):
            raise ValueError(f"cannot sign in with {password}")
        """
    ).jobs(job("nightly", "fails") + '[jobs.steps.op_kwargs]\npassword = "${env:DB_PASSWORD}"\n')
    repo.notifications(hooked(hook))
    async with repo.running("server") as program:
        await program.run("nightly")
        await told(hook, 1)
    assert "swordfish" not in json.dumps(hook.bodies)
    assert "cannot sign in with ***" in hook.bodies[0]["error"]
