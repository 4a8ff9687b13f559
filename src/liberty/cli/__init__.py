"""`liberty-admin`: every verb, and the module that is imported once it is asked for."""

import sys
from collections.abc import Sequence

VERBS: dict[str, tuple[str, str]] = {
    "job": ("liberty.cli.job", "list, run, watch and operate jobs"),
    "why": ("liberty.cli.why", "say why a job ran or did not run (the same as `job why`)"),
    "reload": ("liberty.cli.reload", "read the configuration again"),
    "reload-plugin": ("liberty.cli.reload_plugin", "load a plugin's changed Python files"),
    "worker": ("liberty.cli.worker", "run what is queued, beside servers on the same PostgreSQL"),
    "init": ("liberty.cli.init", "lay out a new apps repository with a first job"),
    "schema": ("liberty.cli.schema", "write the JSON Schemas that editors complete the files with"),
    "user": ("liberty.cli.user", "add and list users, set passwords"),
    "token": ("liberty.cli.token", "create, list and revoke API tokens"),
    "doctor": (
        "liberty.cli.doctor",
        "hurt servers of its own on purpose and count what becomes of the promises",
    ),
    "notify": ("liberty.cli.notify", "list and test channels, list incidents and messages"),
    "crypto": ("liberty.cli.crypto", "make keys, encrypt and decrypt ENC: values"),
}
"""Each module has a `VERB`: one Command, or its own verbs by name."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    from liberty.cli.command import run_command

    return run_command(VERBS, list(sys.argv[1:] if arguments is None else arguments))
