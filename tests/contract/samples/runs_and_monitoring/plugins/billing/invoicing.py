"""From the page "Runs & monitoring", section "Tips & best practices": a log line that makes the history greppable.

Corrected: it is the message of a log call there; the functions are only named.
"""

import asyncio
import logging

log = logging.getLogger(__name__)


async def run(*, period="2026-05", **_):
    log.info("billing.invoicing.run period=2026-05 drafts=42 dry_run=False")
    log.warning("took longer than usual")
    return {"rows_affected": 42, "period": period}


async def wait(**_):
    log.info("waiting")
    await asyncio.sleep(3600)


async def refuse(**_):
    raise ConnectionRefusedError("the directory does not answer")
