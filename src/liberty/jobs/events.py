"""What the engine tells the rest of the process. Events carry ids and small facts; data is read from the store."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from liberty.jobs.run import Run, Status


@dataclass(frozen=True, slots=True)
class RunMoved:
    """A run was created or changed status; `run` is the row after the move."""

    run: Run


@dataclass(frozen=True, slots=True)
class StepMoved:
    """A step of a run started or ended."""

    run_number: int
    job: str
    app: str
    index: int
    name: str
    status: Status
    attempt: int


@dataclass(frozen=True, slots=True)
class StepProgressed:
    """A step that works on much has come further; `facts` are its numbers."""

    run_number: int
    job: str
    app: str
    index: int
    name: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LogGrew:
    """Log lines up to `seq` are in the store."""

    run_number: int
    seq: int


@dataclass(frozen=True, slots=True)
class ConfigReloaded:
    """A new runtime has replaced the old one."""

    jobs: int
    quarantined: int
