"""Names on the wire: what clients send, what the server sends. Imports nothing, so that every start can check it."""

RUN_SUBSCRIBE = "run.subscribe"
RUN_UNSUBSCRIBE = "run.unsubscribe"
JOBS_SUBSCRIBE = "jobs.subscribe"
JOBS_UNSUBSCRIBE = "jobs.unsubscribe"
POOLS_SUBSCRIBE = "pools.subscribe"
POOLS_UNSUBSCRIBE = "pools.unsubscribe"

HANDLED = (
    "connect",
    "disconnect",
    RUN_SUBSCRIBE,
    RUN_UNSUBSCRIBE,
    JOBS_SUBSCRIBE,
    JOBS_UNSUBSCRIBE,
    POOLS_SUBSCRIBE,
    POOLS_UNSUBSCRIBE,
)

RUN_MOVED = "job.run.transitioned"
STEP_MOVED = "job.step.transitioned"
STEP_PROGRESS = "job.step.progress"
RUN_LOG = "job.run.log"
CONFIG_RELOADED = "config.reloaded"
POOL_STATS = "pool.stats"
GAP = "gap"
"""Something was dropped because this client was slow: look again by REST."""
NOTICE = "notification"
"""Something for the notification centre."""
SESSION_ENDED = "session.ended"
