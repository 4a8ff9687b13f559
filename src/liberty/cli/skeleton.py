"""The files that `liberty-admin init` writes."""

_APP = """\
# How the server itself behaves. Every key has a default, so this file may stay empty.

[app]
# port = 8000
# log_level = "INFO"
# watch_config = true            # read changed files at once, without `liberty-admin reload`

[jobs]
# max_concurrent_runs = 8
# history_days = 90
"""

_CONNECTORS = """\
#:schema .schema/connectors.schema.json

# What jobs reach: databases and web services. A password belongs in the environment, as ${DB_PASSWORD}, or is
# encrypted here: `liberty-admin crypto encrypt` prints the ENC: value to put in its place.

# [pools.warehouse]
# url = "postgresql+asyncpg://app@db.example/warehouse"
# password = "${DB_PASSWORD}"

# [connectors.warehouse]
# type = "sql"
# pool = "warehouse"
"""

_JOBS = """\
#:schema .schema/jobs.schema.json

# One [[jobs]] table is one job. `liberty-admin job validate` checks this file, `liberty-admin reload` makes a running
# server read it again, `liberty-admin job run hello` runs the job now.

[[jobs]]
name = "hello"
description = "The first job: greets somebody, to show how the parts fit together"
# schedule = "0 7 * * mon-fri"    # minute hour day month weekday; or "@daily", or "every 15m"
# timezone = "Europe/Paris"       # of the schedule; the server's when left out
timeout_seconds = 60              # of the whole run

[jobs.params]                     # what a run may be given: liberty-admin job run hello --params name=Alice
name = "world"

[[jobs.steps]]                    # steps run one after another; the first that fails ends the run
type = "python"
name = "greet"
callable = "hello:greet"          # the function `greet` in plugins/hello/__init__.py
"""

_PLUGIN = '''\
"""Python steps of this repository. A change is picked up by the next run, no restart needed."""


def greet(ctx, name):
    """A step gets its context and, by name, the job's parameters; what it returns is the step's output."""
    ctx.log.info("hello, %s", name)
    return {"greeting": f"hello, {name}"}
'''

_IGNORED = """\
data/
__pycache__/
"""

FILES = {
    "config/app.toml": _APP,
    "config/connectors.toml": _CONNECTORS,
    "config/jobs.toml": _JOBS,
    "plugins/hello/__init__.py": _PLUGIN,
    ".gitignore": _IGNORED,
}
"""Text by path below the repository."""
