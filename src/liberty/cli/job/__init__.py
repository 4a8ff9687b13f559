"""`liberty-admin job …`: the verbs on jobs and runs."""

from liberty.cli.command import Command
from liberty.cli.job import operate, read, run, validate

VERB: dict[str, Command] = {
    "list": read.LIST,
    "show": read.SHOW,
    "run": run.RUN,
    "logs": run.LOGS,
    "history": read.HISTORY,
    "abort": operate.ABORT,
    "replay": run.REPLAY,
    "validate": validate.VALIDATE,
    "why": read.WHY,
    "enable": operate.ENABLE,
    "disable": operate.DISABLE,
    "pause": operate.PAUSE,
    "resume": operate.RESUME,
    "schedule": read.SCHEDULE,
}
