"""The step types: one file each and one line here makes a new type known everywhere."""

from liberty.jobs.steps.base import StepConfig
from liberty.jobs.steps.call_job import CallJobStep
from liberty.jobs.steps.http import HttpStep
from liberty.jobs.steps.python import PythonStep
from liberty.jobs.steps.sql_copy import SqlCopyStep
from liberty.jobs.steps.sql_query import SqlQueryStep

STEP_TYPES: dict[str, type[StepConfig]] = {
    "sql_query": SqlQueryStep,
    "sql_copy": SqlCopyStep,
    "python": PythonStep,
    "http": HttpStep,
    "call_job": CallJobStep,
}

ANNOUNCED_STEP_TYPES: dict[str, str] = {
    "ldap_sync": "this version has no 'ldap_sync' step yet; a python step with an LDAP library can do the work",
}
"""Published types that cannot run here, with what to tell the author of a job that uses one."""

__all__ = ["ANNOUNCED_STEP_TYPES", "STEP_TYPES", "StepConfig"]
