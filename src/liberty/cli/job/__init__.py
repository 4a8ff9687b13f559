"""`liberty-admin job …`: the verbs on jobs and runs."""

from liberty.cli.command import Command
from liberty.cli.job.backfill import BACKFILL, BACKFILLS, CANCEL_BACKFILL
from liberty.cli.job.definition import COPY, DEFINITION, DELETE, DIFF, EDIT, RENAME, RESTORE, VERSIONS
from liberty.cli.job.marks import MARKS, RESET_MARK
from liberty.cli.job.operate import ABORT, DISABLE, ENABLE, PAUSE, RESUME
from liberty.cli.job.plan import PLAN
from liberty.cli.job.read import HISTORY, LIST, SCHEDULE, SHOW, WHY
from liberty.cli.job.run import LOGS, REPLAY, RUN
from liberty.cli.job.validate import VALIDATE

VERB: dict[str, Command] = {
    "list": LIST,
    "show": SHOW,
    "run": RUN,
    "logs": LOGS,
    "history": HISTORY,
    "abort": ABORT,
    "replay": REPLAY,
    "validate": VALIDATE,
    "why": WHY,
    "enable": ENABLE,
    "disable": DISABLE,
    "pause": PAUSE,
    "resume": RESUME,
    "schedule": SCHEDULE,
    "backfill": BACKFILL,
    "backfills": BACKFILLS,
    "cancel-backfill": CANCEL_BACKFILL,
    "plan": PLAN,
    "marks": MARKS,
    "reset-mark": RESET_MARK,
    "definition": DEFINITION,
    "edit": EDIT,
    "versions": VERSIONS,
    "diff": DIFF,
    "restore": RESTORE,
    "rename": RENAME,
    "copy": COPY,
    "delete": DELETE,
}
