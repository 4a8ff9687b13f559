"""From the page "Write a callable": its tables of injections, context fields, returns and exceptions, as functions.

The page describes these in words; nothing of its code is in this file.
"""

import asyncio
import time

from liberty.jobs.steps.base import StepCancelled, StepFailed, StepResult


async def everything(**kwargs):
    return {
        "received": sorted(kwargs),
        "kinds": {name: type(value).__name__ for name, value in kwargs.items()},
    }


async def named_only(*, connectors):
    return {"received": ["connectors"], "kind": type(connectors).__name__}


async def nothing_injected():
    return None


async def own_connectors(*, connectors):
    return {"connectors": connectors}


async def config_paths(*, settings):
    return {"file": settings.connectors.config_path.name, "app": settings.app.name}


async def context(*, ctx):
    return {
        "run_id": ctx.run_id,
        "job_id": ctx.job_id,
        "trigger": ctx.trigger.kind,
        "prev_rows_affected": ctx.prev_rows_affected,
        "parent_chain": ctx.parent_chain,
    }


async def returns_none():
    pass


async def returns_int():
    return 42


async def returns_dict():
    return {"rows_affected": 7, "path": "/exports/report.pdf"}


async def returns_step_result():
    return StepResult(rows_affected=3, extras={"tenant": 10})


async def returns_list():
    return [1, 2, 3]


async def returns_unserialisable():
    return {"when": object()}


def blocking():
    time.sleep(0.01)
    return {"in_thread": True}


async def blocking_call_in_a_thread():
    await asyncio.to_thread(time.sleep, 0.01)
    return {"done": True}


async def fails():
    raise StepFailed("told you so")


async def cancels():
    raise StepCancelled("not today")


async def cancelled():
    raise asyncio.CancelledError


def positional(apps_id, ctx):
    return {"apps_id": apps_id, "run_id": ctx.run_id}


async def rejects_the_rest(*, apps_id):
    return {"apps_id": apps_id}
