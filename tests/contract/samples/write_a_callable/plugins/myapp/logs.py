"""From the page "Write a callable", section "Logging". Corrected: `rows` is not defined there."""

import logging

_log = logging.getLogger(__name__)


async def my_function(*, ctx, **_):
    _log.info("starting · run_id=%s", ctx.run_id)
    rows = 3
    _log.info("done · rows=%d · run_id=%s", rows, ctx.run_id)
