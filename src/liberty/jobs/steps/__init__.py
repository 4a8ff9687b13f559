"""The step types: one file each and one line here makes a new type known everywhere."""

from liberty.jobs.steps.base import StepConfig
from liberty.jobs.steps.call_job import CallJobStep
from liberty.jobs.steps.http import HttpStep
from liberty.jobs.steps.ldap_sync import LdapSyncStep
from liberty.jobs.steps.python import PythonStep
from liberty.jobs.steps.sql_copy import SqlCopyStep
from liberty.jobs.steps.sql_query import SqlQueryStep

STEP_TYPES: dict[str, type[StepConfig]] = {
    "sql_query": SqlQueryStep,
    "sql_copy": SqlCopyStep,
    "python": PythonStep,
    "http": HttpStep,
    "ldap_sync": LdapSyncStep,
    "call_job": CallJobStep,
}

__all__ = ["STEP_TYPES", "StepConfig"]
