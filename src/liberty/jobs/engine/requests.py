"""From "run this job with these values" to the row that will be inserted: every trigger goes through here."""

import os
from datetime import datetime

from liberty.jobs.engine.generation import Generation
from liberty.jobs.job import SCHEDULE_KEY, Job
from liberty.jobs.lookup import Scope
from liberty.jobs.params import check_overrides, expand_named, snapshot_params
from liberty.jobs.run import NewRun, Overrides, Trigger
from liberty.jobs.triggers.zones import server_timezone


def scope_of(job: Job, trigger: Trigger, now: datetime, generation: Generation) -> Scope:
    """What tokens may look up before the run has a number."""
    return Scope(
        job=job.name,
        now=now,
        app=job.app,
        timezone=job.timezone or server_timezone(),
        trigger=trigger.kind,
        scheduled_at=trigger.scheduled_at,
        session_user=trigger.session_user,
        environ=generation.settings.environ or os.environ,
    )


def new_run(
    job: Job,
    generation: Generation,
    trigger: Trigger,
    overrides: Overrides,
    now: datetime,
    *,
    idempotency_key: str | None = None,
) -> NewRun:
    """Check what the caller sent, take the snapshot of the params. Raises Invalid or NotFound naming the key.

    A fire of a named schedule, told by `trigger.schedule`, gets that schedule's values.
    """
    expanded, params = overrides, {}
    if overrides != _NOTHING or (trigger.schedule or "").startswith(SCHEDULE_KEY):
        scope = scope_of(job, trigger, now, generation)
        expanded = expand_named(job, overrides, scope, trigger.schedule)
        check_overrides(job, expanded, generation.plugins.signature_params)
        params = snapshot_params(job, expanded, scope)
    elif job.params or job.param_specs:
        params = snapshot_params(job, overrides, scope_of(job, trigger, now, generation))
    return NewRun(
        job=job.name,
        app=job.app,
        trigger=trigger,
        params=params,
        overrides=expanded,
        definition_version=generation.versions.get(job.name),
        idempotency_key=idempotency_key,
        **generation.admission_of(job),
    )


_NOTHING = Overrides()
