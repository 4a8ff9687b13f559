"""The `python` step: calls one function of a plugin with the context, connectors and values it asks for."""

import asyncio
import copy
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from liberty.errors import did_you_mean
from liberty.jobs.steps.base import RunContext, StepCancelled, StepConfig, StepFailed, StepResult
from liberty.jobs.steps.fields import CallableRef, Templatable
from liberty.jobs.steps.returned import to_result
from liberty.jobs.steps.signature import Signature, fit, signature_of
from liberty.jobs.steps.user_traceback import user_traceback

_log = logging.getLogger("nomaflow.python")

_OFFERED: dict[str, Callable[[RunContext], object]] = {
    "connectors": lambda ctx: ctx.connectors,
    "ctx": lambda ctx: ctx,
    "settings": lambda ctx: ctx.settings,
}
"""Injected when declared by name, and when the function takes any keyword."""

_OFFERED_BY_NAME: dict[str, Callable[[RunContext], object]] = {
    "pools": lambda ctx: ctx.connectors.pools,
    "job_id": lambda ctx: ctx.job_id,
    "run_id": lambda ctx: ctx.run_id,
    "step_name": lambda ctx: ctx.step_name,
    "params": lambda ctx: dict(ctx.params),
    "step_kwargs": lambda ctx: {name: ctx.params[name] for name in ctx.explicit if name in ctx.params},
    "previous_step": lambda ctx: ctx.previous_step,
    "logger": lambda ctx: ctx.log,
    "session_user": lambda ctx: ctx.session_user,
}
"""Injected when declared by name, and all of them into `**ctx`."""


class PythonStep(StepConfig):
    """Calls `callable` in a plugin. Its return value is the step's output."""

    type: Literal["python"] = "python"
    callable: CallableRef = Field(
        description="`module.path:function` in the plugins folder.",
        examples=["reports.summary:generate_monthly"],
    )
    op_kwargs: Annotated[dict[str, Any], Templatable()] = Field(
        default_factory=dict, description="Arguments for the function, by name."
    )

    isolate: Literal["none", "process"] = Field(
        "none",
        description="`process` runs the function in a process of its own, which an abort or a timeout can kill "
        "whatever the code does. Costs about half a second at each start.",
    )

    def default_name(self, index: int) -> str:  # noqa: ARG002 - the name does not depend on the place
        return self.callable

    async def preview(self, ctx: RunContext) -> dict[str, Any]:
        """The function that would be called, and with what."""
        return {"would_call": self.callable, "arguments": ctx.params}

    async def execute(self, ctx: RunContext) -> StepResult:
        """Resolve, bind, call in the lane that fits the function, and normalise what it returns."""
        if self.isolate == "process":
            return await ctx.host.call_process(ctx, self.callable, self.op_kwargs)
        function = await self._resolve(ctx)
        signature = signature_of(function)
        values = {**self.op_kwargs, **ctx.params}
        args, kwargs, names = bind(
            signature, ctx, values, explicit=ctx.explicit | self.op_kwargs.keys(), ref=self.callable
        )
        _log.info(
            "nomaflow.python start run=%s step=%r callable=%s kwargs=%s",
            ctx.run_id,
            ctx.step_name,
            self.callable,
            sorted(names),
        )
        try:
            if signature.is_async:
                result = await ctx.host.call_async(ctx, lambda: _call_async(function, args, kwargs))
            else:
                result = await ctx.host.call_sync(ctx, lambda: _call_sync(function, args, kwargs))
                if inspect.isawaitable(result):
                    pending = result
                    result = await ctx.host.call_async(ctx, lambda: _finish(pending))
        except (asyncio.CancelledError, StepCancelled):
            raise
        except BaseException as error:
            self._log_raised(ctx, error)
            raise
        if not isinstance(result, StepResult):
            raise TypeError(f"the host returned a {type(result).__name__}")
        _log.info(
            "nomaflow.python done run=%s step=%r rows=%s", ctx.run_id, ctx.step_name, result.rows_affected
        )
        return result

    async def _resolve(self, ctx: RunContext) -> Callable[..., Any]:
        plugins = ctx.host.plugins
        known = plugins.resolved(self.callable)
        if known is not None:
            return known
        try:
            # Importing runs the plugin's top-level code, so it happens where blocking code may run.
            found: Callable[..., Any] = await ctx.host.call_import(
                ctx, lambda: plugins.resolve(self.callable, ctx.step_name)
            )
        except ImportError as error:
            cause = error.__cause__
            if cause is None or isinstance(cause, ModuleNotFoundError):
                _log.error("%s", error)
            else:
                _log.error("%s", error, exc_info=(type(cause), cause, user_traceback(cause)))
            raise
        return found

    def _log_raised(self, ctx: RunContext, error: BaseException) -> None:
        _log.error(
            "nomaflow.python run=%s step=%r callable=%s raised",
            ctx.run_id,
            ctx.step_name,
            self.callable,
            exc_info=(type(error), error, user_traceback(error)),
        )


def bind(
    signature: Signature, ctx: RunContext, values: Mapping[str, Any], *, explicit: Any, ref: str
) -> tuple[list[Any], dict[str, Any], set[str]]:
    """Positional arguments, keyword arguments and the names of both.

    Supplied values win over injections. Raises TypeError for an explicit value the function does not take or a
    missing one, and StepFailed for a value that does not fit its annotation.
    """
    chosen: dict[str, Any] = {}
    for name, value in values.items():
        if name in signature.fits:
            chosen[name] = _fitted(name, value, signature)
        elif signature.rest is not None or name == signature.context:
            chosen[name] = _own_copy(value)
        elif name in explicit:
            known = sorted(signature.fits)
            raise TypeError(
                f"callable {ref!r} got an unexpected keyword argument {name!r}"
                f"{did_you_mean(name, known)} It takes: {', '.join(known) or 'nothing'}"
            )
    _inject(chosen, signature, ctx)
    missing = sorted(signature.required - chosen.keys())
    if missing:
        raise TypeError(
            f"callable {ref!r} needs {', '.join(map(repr, missing))}: give it in op_kwargs or params"
        )
    names = set(chosen)
    args: list[Any] = []
    if signature.context is not None:
        names.add(signature.context)
        args.append(chosen.pop(signature.context, ctx))
    for name in signature.positional_only:
        if name not in chosen:
            break
        args.append(chosen.pop(name))
    return args, chosen, names


def _inject(chosen: dict[str, Any], signature: Signature, ctx: RunContext) -> None:
    takes_any = signature.rest is not None
    for name, offer in _OFFERED.items():
        if name not in chosen and name != signature.context and (takes_any or name in signature.fits):
            if name == "ctx" and signature.context is not None and name not in signature.fits:
                continue
            chosen[name] = offer(ctx)
    everything = signature.rest in ("ctx", "context")
    for name, offer in _OFFERED_BY_NAME.items():
        if name not in chosen and (everything or name in signature.fits):
            chosen[name] = offer(ctx)


def _fitted(name: str, value: Any, signature: Signature) -> Any:
    wanted = signature.fits[name]
    if wanted is None:
        return _own_copy(value)
    try:
        return fit(value, wanted)
    except (TypeError, ValueError, OverflowError) as error:
        shown = repr(value)
        if len(shown) > 80:
            shown = f"{shown[:79]}…"
        raise StepFailed(
            f"op_kwargs[{name!r}]={shown} cannot be coerced to {wanted.scalar}: {error}"
        ) from error


def _own_copy(value: Any) -> Any:
    """So that a function which changes a list it was given does not change the job's definition."""
    return copy.deepcopy(value) if isinstance(value, dict | list) else value


def _call_sync(function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
    try:
        returned = function(*args, **kwargs)
    except BaseException as error:
        _refuse_exit(error)
        raise
    return returned if inspect.isawaitable(returned) else to_result(returned)


async def _call_async(function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> StepResult:
    return await _finish(function(*args, **kwargs))


async def _finish(pending: Awaitable[Any]) -> StepResult:
    try:
        returned = await pending
    except GeneratorExit:  # nobody waits any more: the coroutine is being thrown away
        raise
    except BaseException as error:
        _refuse_exit(error)
        raise
    return to_result(returned)


def _refuse_exit(error: BaseException) -> None:
    """Turn what would end the lane instead of the step into a failure of the step.

    SystemExit and KeyboardInterrupt would stop the loop that runs the function, and a StopIteration cannot be
    handed from one thread to another: whoever waits would wait for ever.
    """
    if isinstance(error, StopIteration) or not isinstance(error, Exception | asyncio.CancelledError):
        raise StepFailed(f"the callable raised {type(error).__name__}({error})") from error
