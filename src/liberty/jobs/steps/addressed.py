"""Per-fire values that are addressed to one step and replace what its own `params` say."""

from collections.abc import Mapping
from typing import Any

from liberty.jobs.steps.base import RunContext


def own_params(params: Mapping[str, Any], ctx: RunContext) -> dict[str, Any]:
    """A step's `params`, each replaced by the per-fire value of the same name addressed to this step.

    Values meant for the whole job replace nothing here: a step takes them by `${params.x}`.
    """
    return {
        name: ctx.params[name] if name in ctx.explicit and name in ctx.params else value
        for name, value in params.items()
    }
