"""What a `${…}` token means at run time: look-up only, by names and dotted keys; nothing is ever called."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from liberty.clock import rfc3339
from liberty.errors import Invalid, did_you_mean
from liberty.jobs.run import Status
from liberty.jobs.tokens import (
    BARE_WORDS,
    DATE_TOKENS,
    EnvironmentToken,
    environment_token,
    split_token,
    tokens_in,
)
from liberty.secrets import is_secret_name, redactor


@dataclass(frozen=True, slots=True)
class Scope:
    """The facts tokens may look up. Times are aware; dates are reckoned in `timezone` from `now`."""

    job: str
    now: datetime
    app: str = "_default"
    timezone: str = "UTC"
    run_id: str | None = None
    trigger: str | None = None
    scheduled_at: datetime | None = None
    started_at: datetime | None = None
    session_user: str = "cron"
    step: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    """The run's job-level params."""
    kwargs: Mapping[str, Any] | None = None
    """The merged params of the step; None outside of one."""
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The earlier steps of the run in order, each as `step_view` makes it."""
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)


def step_view(
    status: str, output: Any, *, rows_affected: int | None = None, error: str | None = None
) -> dict[str, Any]:
    """An earlier step as tokens see it: its output's keys, and `status`, `rows_affected`, `error`, `output`.

    A key of the output wins over the fact of the same name: `${steps.fetch.status}` of an http step is 200.
    """
    facts = {"status": Status(status), "rows_affected": rows_affected, "error": error}
    return {
        **facts,
        **(output if isinstance(output, dict) else {}),
        "output": output,
        _STATUS: Status(status),
    }


def look_up(token: str, scope: Scope) -> Any:
    """The value of one token. Raises Invalid naming the token and the nearest known name."""
    if token in DATE_TOKENS:
        return date_text(token, scope.now, scope.timezone)
    if token in BARE_WORDS:
        return _instant(scope.scheduled_at)
    variable = environment_token(token)
    if variable is not None:
        return environment_value(variable, scope.environ)
    root, rest = split_token(token)
    read = ROOTS.get(root)
    if read is None or not rest:
        raise Invalid(unknown_token(token))
    return read(token, rest, scope)


def unknown_token(token: str) -> str:
    """The message for a token no rule knows."""
    root = split_token(token)[0]
    nearest = did_you_mean(token, DATE_TOKENS | BARE_WORDS) or did_you_mean(root, [*ROOTS, "env"])
    return f"unknown token ${{{token}}}{nearest}"


def environment_value(variable: EnvironmentToken, environ: Mapping[str, str]) -> str:
    """The variable's value, the text of the file `<NAME>_FILE` names, or the default; known to the redactor.

    What an explicit `env:` token yields counts as a secret, and so does a plain one with a telling name.
    """
    value = environ.get(variable.name) or _from_file(variable.name, environ) or variable.default
    if value is None:
        if not variable.explicit:
            return ""
        near = did_you_mean(variable.name, environ)
        raise Invalid(f"environment variable {variable.name!r} is not set{near}")
    if value and (variable.explicit or is_secret_name(variable.name)):
        redactor.register(value)
    return value


def hide_variables(value: Any, environ: Mapping[str, str]) -> None:
    """Let the redactor know the secret variables a definition names before a run shows what it found elsewhere."""
    for token in tokens_in(value):
        variable = environment_token(token)
        if variable is not None:
            with suppress(Invalid):  # a variable that is not set is told by the run that needs it
                environment_value(variable, environ)


def date_text(token: str, now: datetime, timezone: str) -> str:
    """A date token as ISO text in the zone; `month.previous` is `YYYY-MM`."""
    local = now.astimezone(ZoneInfo(timezone))
    today = local.date()
    first = today.replace(day=1)
    match token:
        case "today":
            return today.isoformat()
        case "yesterday":
            return (today - timedelta(days=1)).isoformat()
        case "now":
            return local.isoformat(timespec="seconds")
        case "week.monday":
            return (today - timedelta(days=today.weekday())).isoformat()
        case "week.sunday":
            return (today + timedelta(days=6 - today.weekday())).isoformat()
        case "month.first":
            return first.isoformat()
        case "month.last":
            return (_next_month(first) - timedelta(days=1)).isoformat()
        case "month.previous":
            return (first - timedelta(days=1)).strftime("%Y-%m")
    raise Invalid(unknown_token(token))


def split_step(rest: str, names: Mapping[str, Any] | tuple[str, ...]) -> tuple[str, list[str]] | None:
    """Step name and keys of `load.rows.0`; names may hold dots themselves, so the longest known one wins."""
    known = [name for name in names if rest == name or rest.startswith(f"{name}.")]
    if not known:
        return None
    name = max(known, key=len)
    return name, [key for key in rest[len(name) + 1 :].split(".") if key]


_STATUS = "\0status"
_ABSENT = object()


def _next_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def _from_file(name: str, environ: Mapping[str, str]) -> str | None:
    path = environ.get(f"{name}_FILE")
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"the file that {name}_FILE names cannot be read: {type(error).__name__}") from None


def _param(token: str, name: str, scope: Scope) -> Any:
    return _named(token, name, scope.params, "param")


def _kwarg(token: str, name: str, scope: Scope) -> Any:
    return _named(token, name, scope.params if scope.kwargs is None else scope.kwargs, "param")


def _named(token: str, path: str, values: Mapping[str, Any], what: str) -> Any:
    if path in values:
        return values[path]
    name, *keys = path.split(".")
    if name not in values:
        raise Invalid(f"${{{token}}}: no {what} {name!r}{did_you_mean(name, values)}")
    return _dig(token, values[name], keys)


def _step(token: str, rest: str, scope: Scope) -> Any:
    found = split_step(rest, scope.steps)
    if found is None:
        name = rest.split(".")[0]
        earlier = ", ".join(repr(known) for known in scope.steps) or "none"
        raise Invalid(
            f"${{{token}}}: no earlier step {name!r}{did_you_mean(name, scope.steps)}; earlier steps: {earlier}"
        )
    name, keys = found
    return _of_step(token, scope.steps[name], keys)


def _previous(token: str, rest: str, scope: Scope) -> Any:
    for view in reversed(list(scope.steps.values())):
        if view.get(_STATUS) != "skipped":
            return _of_step(token, view, rest.split("."))
    raise Invalid(f"${{{token}}}: no step has run before this one")


def _of_step(token: str, view: Mapping[str, Any], keys: list[str]) -> Any:
    if not keys:
        return view.get("output")
    # A step that did not succeed has no such key, and that is no mistake of the author's.
    if keys[0] not in view and view.get(_STATUS, "succeeded") != "succeeded":
        return None
    return _dig(token, view, keys)


def _dig(token: str, value: Any, keys: list[str]) -> Any:
    for key in keys:
        if isinstance(value, Mapping):
            known = [name for name in value if isinstance(name, str) and name != _STATUS]
            value = value[key] if key in known else _ABSENT
        elif isinstance(value, list | tuple):
            known = [f"0 to {len(value) - 1}"] if value else []
            value = value[int(key)] if key.isdecimal() and int(key) < len(value) else _ABSENT
        else:
            known, value = [], _ABSENT
        if value is _ABSENT:
            there = f"; there: {', '.join(known[:20])}" if known else "; there is nothing below it"
            raise Invalid(f"${{{token}}}: no {key!r}{did_you_mean(key, known) or there}")
    return value


def _run(token: str, key: str, scope: Scope) -> Any:
    facts = {
        "id": scope.run_id,
        "scheduled_at": _instant(scope.scheduled_at),
        "started_at": _instant(scope.started_at),
        "trigger": scope.trigger,
    }
    return _named(token, key, facts, "run fact")


def _context(token: str, key: str, scope: Scope) -> Any:
    facts = {
        "run_id": scope.run_id,
        "job_id": scope.job,
        "step_name": scope.step,
        "scheduled_at": _instant(scope.scheduled_at),
        "started_at": _instant(scope.started_at),
        "trigger": scope.trigger,
        "session_user": scope.session_user,
    }
    return _named(token, key, facts, "context fact")


def _job(token: str, key: str, scope: Scope) -> Any:
    return _named(token, key, {"name": scope.job, "id": scope.job, "app": scope.app}, "job fact")


def _current_step(token: str, key: str, scope: Scope) -> Any:
    return _named(token, key, {"name": scope.step}, "step fact")


def _session(token: str, key: str, scope: Scope) -> Any:
    return _named(token, key, {"user": scope.session_user}, "session fact")


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else rfc3339(instant)


ROOTS: dict[str, Callable[[str, str, Scope], Any]] = {
    "params": _param,
    "kw": _kwarg,
    "steps": _step,
    "out": _step,
    "previous_step": _previous,
    "prev": _previous,
    "run": _run,
    "ctx": _context,
    "job": _job,
    "step": _current_step,
    "session": _session,
}
"""First word of a token, and who reads the rest."""

FACTS: dict[str, frozenset[str]] = {
    "run": frozenset({"id", "scheduled_at", "started_at", "trigger"}),
    "ctx": frozenset(
        {"run_id", "job_id", "step_name", "scheduled_at", "started_at", "trigger", "session_user"}
    ),
    "job": frozenset({"name", "id", "app"}),
    "step": frozenset({"name"}),
    "session": frozenset({"user"}),
}
"""The roots whose keys are fixed, so that a definition can be checked before it runs."""
