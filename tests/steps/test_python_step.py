"""The python step: binding, coercion, returns, failures and the exact log lines, with real plugins on disk."""

import asyncio
import gc
import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from liberty.jobs.steps.base import StepCancelled, StepFailed, StepResult
from liberty.jobs.steps.python import PythonStep
from liberty.plugins import Plugins, PluginSet
from liberty.testing import FakeContext, build_fake_ctx

PREAMBLE = """\
import asyncio
import functools
import logging
import typing
from datetime import date, datetime
from typing import Any, Optional
from liberty.jobs.steps.base import RunContext, StepCancelled, StepFailed, StepResult
from liberty.jobs.types import StepContext

def show(**values):
    return {"args": {name: repr(value) for name, value in values.items()}}
"""


class PluginFile:
    """One plugin module, `code`, and the way to run a function in it as a step."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.plugins = Plugins(root)

    def define(self, source: str, preamble: str = PREAMBLE) -> PluginSet:
        self.root.mkdir(exist_ok=True)
        (self.root / "code_under_test.py").write_text(preamble + source)
        self.plugins.install()
        return self.plugins.snapshot()

    async def run(
        self,
        source: str,
        *,
        function: str = "fn",
        op_kwargs: dict[str, Any] | None = None,
        job_params: dict[str, Any] | None = None,
        preamble: str = PREAMBLE,
        **fields: Any,
    ) -> StepResult:
        found = self.define(source, preamble)
        step = PythonStep(callable=f"code_under_test:{function}", name="the-step", op_kwargs=op_kwargs or {})
        ctx = build_fake_ctx(
            plugins=found,
            step_name="the-step",
            run_id="r-7",
            params={**(job_params or {}), **(op_kwargs or {})},
            explicit=frozenset(op_kwargs or {}),
            **fields,
        )
        return await step.execute(ctx)


@pytest.fixture
def code(tmp_path: Path) -> Iterator[PluginFile]:
    file = PluginFile(tmp_path / "plugins")
    yield file
    file.plugins.uninstall()


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(r.levelname, r.getMessage()) for r in caplog.records if r.name == "nomaflow.python"]


# -- the definition


@pytest.mark.parametrize(
    "ref", ["nothing", "a.b:", ":f", "a b:c", "a:b:c", "a:__import__", "a.__b__:c", "${params.x}"]
)
def test_a_callable_is_a_module_and_a_function(ref: str) -> None:
    with pytest.raises(ValidationError):
        PythonStep(callable=ref)


def test_the_default_name_is_the_callable() -> None:
    assert PythonStep(callable="reports.summary:generate").default_name(3) == "reports.summary:generate"


# -- binding


@pytest.mark.parametrize(
    ("signature", "op_kwargs", "job_params", "received"),
    [
        ("(**kwargs)", {}, {}, ["connectors", "ctx", "settings"]),
        (
            "(*, connectors, ctx, apps_id, **_)",
            {"apps_id": 1},
            {},
            ["apps_id", "connectors", "ctx", "settings"],
        ),
        ("(*, connectors, ctx, apps_id)", {"apps_id": 1}, {}, ["apps_id", "connectors", "ctx"]),
        ("(*, settings)", {}, {}, ["settings"]),
        ("()", {}, {"unused": 1}, []),
        ("(ctx, *, period, **_)", {"period": "p"}, {}, ["connectors", "ctx", "period", "settings"]),
        ("(context)", {}, {}, ["context"]),
        ("(run: StepContext, *, period)", {}, {"period": "p"}, ["period", "run"]),
        ("(run: 'RunContext', /)", {}, {}, ["run"]),
        ("(run: Optional[RunContext])", {}, {}, ["run"]),
        ("(run: 'typing.Any', b=1)", {"run": 5}, {}, ["run"]),
        ("(a, b)", {"a": 1, "b": 2}, {}, ["a", "b"]),
        ("(a, /, b)", {"a": 1, "b": 2}, {}, ["a", "b"]),
        ("(a, b=3)", {"a": 1}, {"other": 9}, ["a"]),
        ("(*, a, **rest)", {"a": 1}, {"other": 9}, ["a", "connectors", "ctx", "other", "settings"]),
        ("(*, run_id, job_id, logger)", {}, {}, ["job_id", "logger", "run_id"]),
        (
            "(*, period, **ctx)",
            {"period": "p"},
            {},
            [
                "connectors",
                "ctx",
                "job_id",
                "logger",
                "params",
                "period",
                "pools",
                "previous_step",
                "run_id",
                "session_user",
                "settings",
                "step_kwargs",
                "step_name",
            ],
        ),
    ],
)
async def test_a_function_receives_what_its_signature_asks_for(
    code: PluginFile,
    caplog: pytest.LogCaptureFixture,
    signature: str,
    op_kwargs: dict[str, Any],
    job_params: dict[str, Any],
    received: list[str],
) -> None:
    caplog.set_level(logging.INFO)
    await code.run(f"async def fn{signature}:\n    return 1\n", op_kwargs=op_kwargs, job_params=job_params)
    assert lines(caplog)[0] == (
        "INFO",
        f"nomaflow.python start run=r-7 step='the-step' callable=code_under_test:fn kwargs={received}",
    )


@pytest.mark.parametrize("first", ["ctx", "context", "run: StepContext", "run: 'StepContext'", "ctx, /"])
@pytest.mark.parametrize("style", ["async def", "def"])
async def test_the_context_comes_by_position(code: PluginFile, style: str, first: str) -> None:
    name = first.split(":")[0].split(",")[0]
    result = await code.run(
        f"{style} fn({first}, *, period='x', **_):\n    return {{'run_id': {name}.run_id, 'period': period}}\n"
        if "/" not in first
        else f"{style} fn({first}, period='x'):\n    return {{'run_id': {name}.run_id, 'period': period}}\n",
        op_kwargs={"period": "2026-04"},
    )
    assert result.extras == {"run_id": "r-7", "period": "2026-04"}


async def test_supplied_values_win_over_injections(code: PluginFile) -> None:
    result = await code.run(
        "async def fn(*, connectors, settings, ctx):\n    return {'c': connectors, 's': settings, 'x': ctx.run_id}\n",
        op_kwargs={"connectors": "fake"},
        job_params={"settings": "mine"},
    )
    assert result.extras == {"c": "fake", "s": "mine", "x": "r-7"}


async def test_a_context_of_the_test_may_be_supplied(code: PluginFile) -> None:
    result = await code.run("async def fn(ctx, **_):\n    return {'ctx': ctx}\n", op_kwargs={"ctx": "fake"})
    assert result.extras == {"ctx": "fake"}


async def test_real_connectors_settings_and_context_are_injected(code: PluginFile) -> None:
    found = code.define(
        "def fn(*, connectors, settings, ctx, **_):\n"
        "    return {'pools': connectors.names(), 'port': settings.app.port, 'job': ctx.job_id}\n"
    )
    ctx = build_fake_ctx(plugins=found, connectors={"reporting": object()})
    result = await PythonStep(callable="code_under_test:fn").execute(ctx)
    assert result.extras == {"pools": ["reporting"], "port": 8000, "job": "fake-job"}


async def test_an_unknown_op_kwarg_is_named_with_the_nearest_known_one(code: PluginFile) -> None:
    with pytest.raises(
        TypeError, match=r"unexpected keyword argument 'max_age'; did you mean 'max_age_days'\?"
    ):
        await code.run("async def fn(*, max_age_days=3): ...\n", op_kwargs={"max_age": 3})


async def test_a_missing_argument_is_named(code: PluginFile) -> None:
    with pytest.raises(TypeError, match=r"needs 'apps_id', 'days': give it in op_kwargs or params"):
        await code.run("async def fn(*, ctx, days, apps_id, x=1): ...\n")


async def test_changing_a_given_list_does_not_change_the_definition(code: PluginFile) -> None:
    op_kwargs = {"items": [1], "nested": {"a": [1]}}
    source = (
        "def fn(*, items: list, **rest):\n"
        "    items.append(2); rest['nested']['a'].append(2)\n"
        "    return len(items)\n"
    )
    for _ in range(2):
        assert (await code.run(source, op_kwargs=op_kwargs)).rows_affected == 2
    assert op_kwargs == {"items": [1], "nested": {"a": [1]}}


async def test_values_of_the_definition_reach_the_function_without_an_engine(code: PluginFile) -> None:
    found = code.define("def fn(*, a: int):\n    return a\n")
    step = PythonStep(callable="code_under_test:fn", op_kwargs={"a": "4"})
    assert (await step.execute(build_fake_ctx(plugins=found))).rows_affected == 4


# -- coercion


@pytest.mark.parametrize("as_text", [False, True], ids=["evaluated", "from __future__"])
@pytest.mark.parametrize(
    ("annotation", "given", "received"),
    [
        ("int", "12", 12),
        ("int", 12.0, 12),
        ("int", " 7 ", 7),
        ("float", "1.5", 1.5),
        ("float", 2, 2.0),
        ("bool", "yes", True),
        ("bool", "F", False),
        ("bool", 1, True),
        ("bool", True, True),
        ("str", 10, "10"),
        ("str", True, "true"),
        ("str", "x", "x"),
        ("date", "2026-04-01", date(2026, 4, 1)),
        ("date", datetime(2026, 4, 1, 5), date(2026, 4, 1)),
        ("datetime", "2026-04-01T05:06:07", datetime(2026, 4, 1, 5, 6, 7)),
        ("datetime", date(2026, 4, 1), datetime(2026, 4, 1)),
        ("Optional[int]", "3", 3),
        ("typing.Optional[int]", None, None),
        ("int | None", "", None),
        ("None | float", "2", 2.0),
        ("str | None", "", ""),
        ("Any", "12", "12"),
        ("list", [1], [1]),
        ("int | str", "12", "12"),
        ("typing.Annotated[int, 'days']", "12", 12),
    ],
)
async def test_values_fit_their_annotations(
    code: PluginFile, annotation: str, given: object, received: object, as_text: bool
) -> None:
    preamble = ("from __future__ import annotations\n" if as_text else "") + PREAMBLE
    result = await code.run(
        f"def fn(*, value: {annotation}):\n    return show(value=value)\n",
        op_kwargs={"value": given},
        preamble=preamble,
    )
    assert result.extras["args"]["value"] == repr(received)


@pytest.mark.parametrize(
    ("annotation", "given", "text"),
    [
        ("int", "many", r"op_kwargs\['value'\]='many' cannot be coerced to int: "),
        ("int", 1.5, r"op_kwargs\['value'\]=1.5 cannot be coerced to int: it has a fraction"),
        ("int", True, r"cannot be coerced to int: a bool is no whole number"),
        ("int", None, r"op_kwargs\['value'\]=None cannot be coerced to int: there is no value"),
        ("float", [], r"cannot be coerced to float: a list is no number"),
        ("bool", "maybe", r"cannot be coerced to bool: use true or false"),
        ("str", {}, r"cannot be coerced to str: a dict is no text"),
        ("date", "tomorrow", r"cannot be coerced to date: "),
        ("datetime", 5, r"cannot be coerced to datetime: a int is no date"),
        ("Optional[int]", "x", r"cannot be coerced to int: "),
        ("int", "9" * 5000, r"op_kwargs\['value'\]='9+… cannot be coerced to int"),
    ],
)
async def test_a_value_that_does_not_fit_is_named(
    code: PluginFile, annotation: str, given: object, text: str
) -> None:
    with pytest.raises(StepFailed, match=text):
        await code.run(f"def fn(*, value: {annotation}): ...\n", op_kwargs={"value": given})


async def test_a_name_imported_for_type_checkers_only_does_no_harm(code: PluginFile) -> None:
    result = await code.run(
        "if typing.TYPE_CHECKING:\n    from nowhere import Thing\n"
        "async def fn(c: StepContext, *, thing: Thing, n: int):\n    return {'n': n, 'thing': thing}\n",
        op_kwargs={"thing": "t", "n": "3"},
        preamble="from __future__ import annotations\n" + PREAMBLE,
    )
    assert result.extras == {"n": 3, "thing": "t"}


# -- calling


async def test_sync_code_runs_in_another_thread_and_async_code_does_not(code: PluginFile) -> None:
    source = (
        "import threading\n"
        "def s():\n    return threading.get_ident()\n"
        "async def a():\n    return threading.get_ident()\n"
    )
    assert (await code.run(source, function="s")).rows_affected != threading.get_ident()
    assert (await code.run(source, function="a")).rows_affected == threading.get_ident()


async def test_a_wrapper_that_hides_a_coroutine_is_awaited(code: PluginFile) -> None:
    result = await code.run(
        "def timed(f):\n    @functools.wraps(f)\n    def inner(*a, **k):\n        return f(*a, **k)\n    return inner\n"
        "@timed\nasync def fn(ctx, *, n: int):\n    await asyncio.sleep(0)\n    return n\n",
        op_kwargs={"n": "5"},
    )
    assert result.rows_affected == 5


# -- what comes back


@pytest.mark.parametrize(
    ("expression", "rows", "extras"),
    [
        ("None", None, {}),
        ("5", 5, {}),
        ("{'a': 1}", None, {"a": 1}),
        ("{'rows_affected': 3, 'tenant': 10}", 3, {"rows_affected": 3, "tenant": 10}),
        ("{'rows_affected': True}", None, {"rows_affected": True}),
        ("{'rows_affected': '3'}", None, {"rows_affected": "3"}),
        ("StepResult(rows_affected=2, extras={'k': (1, 'é')})", 2, {"k": [1, "é"]}),
        (
            "{'deep': {'list': [1, None, 2.5, {'x': False}]}}",
            None,
            {"deep": {"list": [1, None, 2.5, {"x": False}]}},
        ),
    ],
)
async def test_what_a_function_may_return(
    code: PluginFile, expression: str, rows: int | None, extras: dict[str, Any]
) -> None:
    result = await code.run(f"def fn():\n    return {expression}\n")
    assert (result.rows_affected, result.extras) == (rows, extras)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("True", "returned True, a bool"),
        ("'text'", "returned a str"),
        ("[1]", "returned a list"),
        ("2.5", "returned a float"),
        ("object()", "returned a object"),
        ("(x for x in [])", "returned a generator"),
        ("{'a': {'b': [1, date(2026, 1, 1)]}}", r"holds a datetime.date at 'a.b\[1\]'"),
        ("{'a': float('nan')}", "holds nan at 'a'"),
        ("{'a': [float('-inf')]}", r"holds -inf at 'a\[0\]'"),
        ("{'a': {1}}", "holds a set at 'a'"),
        ("{'a': b'x'}", "holds a bytes at 'a'"),
        ("{1: 'x'}", "has the key 1, a int, at its top level"),
        (r"{'a': '\ud800'}", "text at 'a' that is no Unicode"),
        ("(lambda d: d.update(me=d) or d)({})", "holds itself at 'me'"),
        ("functools.reduce(lambda d, _: {'d': d}, range(200), {})", "nested deeper than 100 levels"),
        ("StepResult(rows_affected='3')", "rows_affected is a str"),
        ("StepResult(extras=[1])", "extras is a list"),
        ("2 ** 70", "rows_affected is out of range"),
    ],
)
@pytest.mark.parametrize("style", ["async def", "def"])
async def test_what_json_cannot_hold_fails_the_step_and_says_where(
    code: PluginFile, style: str, expression: str, text: str
) -> None:
    with pytest.raises(StepFailed, match=text):
        await code.run(f"{style} fn():\n    return {expression}\n")


async def test_the_output_for_later_steps_is_kept_as_it_is(code: PluginFile) -> None:
    result = await code.run("def fn():\n    return StepResult(extras={'n': 1}, output={'all': object})\n")
    assert result.output == {"all": object}


async def test_a_result_is_a_copy(code: PluginFile) -> None:
    source = "KEPT = {'a': [1]}\ndef fn():\n    return KEPT\n"
    first = await code.run(source)
    first.extras["a"].append(2)
    assert (await code.run(source)).extras == {"a": [1]}


# -- failures and log lines


async def test_the_log_lines_of_a_good_step(code: PluginFile, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await code.run(
        "async def fn(*, connectors, ctx, apps_id, max_age_days):\n    return {'rows_affected': 1234}\n",
        op_kwargs={"max_age_days": 30, "apps_id": 10},
    )
    assert lines(caplog) == [
        (
            "INFO",
            (
                "nomaflow.python start run=r-7 step='the-step' callable=code_under_test:fn "
                "kwargs=['apps_id', 'connectors', 'ctx', 'max_age_days']"
            ),
        ),
        ("INFO", "nomaflow.python done run=r-7 step='the-step' rows=1234"),
    ]


@pytest.mark.parametrize("style", ["async def", "def"])
async def test_a_raising_function_is_logged_with_its_own_frames_only(
    code: PluginFile, caplog: pytest.LogCaptureFixture, style: str
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(RuntimeError, match="db connection refused"):
        await code.run(
            f"def deeper():\n    raise RuntimeError('db connection refused')\n{style} fn():\n    deeper()\n"
        )
    assert lines(caplog)[-1] == (
        "ERROR",
        "nomaflow.python run=r-7 step='the-step' callable=code_under_test:fn raised",
    )
    text = caplog.records[-1].exc_text or logging.Formatter().formatException(caplog.records[-1].exc_info)  # type: ignore[arg-type]  # logged with it
    assert text.startswith("Traceback (most recent call last):")
    assert text.rstrip().endswith("RuntimeError: db connection refused")
    assert "code_under_test.py" in text
    assert 'python.py"' not in text
    assert "threads.py" not in text


@pytest.mark.parametrize("style", ["async def", "def"])
@pytest.mark.parametrize(
    ("raised", "expected", "logged"),
    [
        ("StepFailed('no rows')", StepFailed, True),
        ("ValueError('bad')", ValueError, True),
        ("StepCancelled('enough')", StepCancelled, False),
        ("asyncio.CancelledError()", asyncio.CancelledError, False),
        ("SystemExit(2)", StepFailed, True),
        ("KeyboardInterrupt()", StepFailed, True),
        ("StopIteration()", (StepFailed, RuntimeError), True),
        ("TimeoutError('slow')", TimeoutError, True),
    ],
)
async def test_which_exceptions_reach_the_runner(
    code: PluginFile,
    caplog: pytest.LogCaptureFixture,
    style: str,
    raised: str,
    expected: type[BaseException] | tuple[type[BaseException], ...],
    logged: bool,
) -> None:
    with pytest.raises(expected):
        await code.run(f"{style} fn():\n    raise {raised}\n")
    assert any("raised" in message for _, message in lines(caplog)) is logged


async def test_an_exit_says_what_it_was(code: PluginFile) -> None:
    with pytest.raises(StepFailed, match=r"the callable raised SystemExit\(2\)"):
        await code.run("def fn():\n    raise SystemExit(2)\n")


async def test_an_unknown_function_is_an_import_error_in_the_log(
    code: PluginFile, caplog: pytest.LogCaptureFixture
) -> None:
    text = (
        "python step 'the-step': module 'code_under_test' has no attribute 'purge' "
        "(from callable 'code_under_test:purge')"
    )
    with pytest.raises(ImportError) as raised:
        await code.run("def fn(): ...\n", function="purge")
    assert (type(raised.value), str(raised.value)) == (ImportError, text)
    assert lines(caplog) == [("ERROR", text)]


async def test_an_import_that_raises_shows_where(code: PluginFile, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ImportError, match=r"cannot import module 'code_under_test' .* — ZeroDivisionError: "):
        await code.run("1 / 0\ndef fn(): ...\n")
    assert "1 / 0" in caplog.text


async def test_a_plugin_is_imported_where_blocking_code_may_run(code: PluginFile) -> None:
    found = code.define("import threading\nHERE = threading.get_ident()\nasync def fn():\n    return HERE\n")
    result = await PythonStep(callable="code_under_test:fn").execute(build_fake_ctx(plugins=found))
    assert result.rows_affected != threading.get_ident()


async def test_cancelling_the_step_reaches_the_function(code: PluginFile) -> None:
    found = code.define(
        "async def fn(ctx):\n    ctx.log.info('in')\n    try:\n        await asyncio.sleep(60)\n"
        "    except asyncio.CancelledError:\n        ctx.log.info('cancelled')\n        raise\n"
    )
    ctx = build_fake_ctx(plugins=found)
    task = asyncio.create_task(PythonStep(callable="code_under_test:fn").execute(ctx))
    await reached(lambda: ctx.log.calls == [("INFO", "in")])
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ctx.log.calls[-1] == ("INFO", "cancelled")


async def reached(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


async def test_old_generations_can_be_forgotten(code: PluginFile) -> None:
    """The cache of signatures must not keep the code of every generation for ever."""
    found = code.define("async def fn():\n    return 1\n")
    await PythonStep(callable="code_under_test:fn").execute(build_fake_ctx(plugins=found))
    kept = weakref.ref(found.resolve("code_under_test:fn"))
    code.plugins.reload("code_under_test")
    code.plugins.snapshot().resolve("code_under_test:fn")
    del found

    def forgotten() -> bool:
        gc.collect()
        return kept() is None

    await reached(forgotten)  # the thread that brought the function here may still hold it for a moment


class InlineHost:
    """Calls at once, so that only the step's own cost is measured."""

    def __init__(self, ctx: FakeContext) -> None:
        self.connectors, self.settings, self.plugins = (
            ctx.host.connectors,
            ctx.host.settings,
            ctx.host.plugins,
        )

    async def call_async(self, ctx: object, function: Callable[[], Any]) -> Any:
        return await function()


async def test_a_no_op_costs_little(code: PluginFile) -> None:
    found = code.define("async def fn(ctx, *, a: int, **_):\n    return {'rows_affected': 1}\n")
    step = PythonStep(callable="code_under_test:fn", op_kwargs={"a": 1})
    ctx = build_fake_ctx(plugins=found)
    await step.execute(ctx)
    ctx.host = InlineHost(ctx)  # type: ignore[assignment]  # the part of a host that this step uses
    best = min([await timed(step, ctx) for _ in range(200)])
    assert best < 0.0005


async def timed(step: PythonStep, ctx: FakeContext) -> float:
    began = time.perf_counter()
    await step.execute(ctx)
    return time.perf_counter() - began
