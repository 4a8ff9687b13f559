"""The import path plugin authors know for the step context."""

from liberty.jobs.steps.base import RunContext, StepCancelled, StepFailed, StepResult

StepContext = RunContext

__all__ = ["RunContext", "StepCancelled", "StepContext", "StepFailed", "StepResult"]
