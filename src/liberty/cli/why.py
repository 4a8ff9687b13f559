"""`liberty-admin why …`: the short way to write `liberty-admin job why …`."""

from liberty.cli.job.read import WHY

VERB = WHY
