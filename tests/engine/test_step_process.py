"""`isolate = "process"`: the same contract as in the server, and nothing that a kill does not end."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from liberty.jobs.schema import jobs_schema
from liberty.jobs.service.runs import RunDetail
from liberty.jobs.steps.python import PythonStep
from tests.factories import AppsRepo, Program, eventually, python_job

FUNCTIONS = """
import os
import signal
import subprocess
from datetime import date
from decimal import Decimal

def pid_mark(ctx, name, pid):
    mark = Path(ctx.settings.environ["MARKS"]) / name
    mark.with_suffix(".new").write_text(str(pid))
    mark.with_suffix(".new").rename(mark)

def tells(ctx, connectors, settings, who: str, day: date, n: int = 1):
    log.info("hello %s", who)
    print("printed")
    print("no end", end="")
    ctx.log.warning("from ctx")
    os.write(1, b"from below\\n")
    return {
        "rows_affected": n, "who": who, "day": day.isoformat(), "pid": os.getpid(), "run": ctx.run_id,
        "user": ctx.session_user, "names": connectors.names(), "data": settings.environ["MARKS"],
        "chain": ctx.parent_chain, "attempt": ctx.attempt, "key": ctx.idempotency_key,
    }

async def tells_async(ctx):
    print("async printed")
    await asyncio.sleep(0)
    rows = await ctx.get_connector("default").rows("SELECT 41 + 1 AS answer")
    return {"answer": [dict(row) for row in rows], "pid": os.getpid()}

def copies(ctx, connectors):
    from liberty.etl import run_query
    return asyncio.run(run_query(connectors=connectors, connector="default", sql="SELECT 1 AS one"))

def first():
    from liberty.jobs.steps.base import StepResult
    return StepResult(3, {"small": 1}, output={"price": Decimal("1.10"), "day": date(2026, 3, 1)})

def second(ctx):
    before = ctx.previous_step("first")
    assert before.status == "SUCCEEDED"
    return {"rows": before.rows_affected, "price": str(before.output["price"]), "day": before.output["day"].isoformat()}

def raises(ctx):
    return inner()

def inner():
    raise ValueError("no good")

def fails(ctx):
    from liberty.jobs.steps.base import StepFailed
    raise StepFailed("as agreed")

def cancels(ctx):
    from liberty.jobs.steps.base import StepCancelled
    raise StepCancelled("not today")

def unreachable(ctx):
    raise ConnectionRefusedError("nobody there")

def returns_object():
    return object()

def exits(ctx):
    sys.exit(3)

def raises_base(ctx):
    class Odd(BaseException):
        pass
    raise Odd("odd")

def polite(ctx):
    pid_mark(ctx, "started", os.getpid())
    while not ctx.is_cancelled():
        time.sleep(0.01)
    log.info("saw the cancel")

def inherited(ctx):
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{number}"))
        except OSError:
            pass
    return {"fds": found, "argv": sys.argv, "environ": sorted(os.environ)}

def floods(ctx):
    for n in range(20_000):
        log.info("line %d", n)
    return 20_000
"""


def isolated(name: str, function: str, *more: str, **keys: object) -> str:
    return python_job(name, function, *more, isolate='"process"', **keys)


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def marked_pid(program: Program, name: str) -> int:
    return int((program.repo.marks / name).read_text())


async def one(repo: AppsRepo, function: str, **keys: object) -> tuple[RunDetail, list[str]]:
    repo.plugin(FUNCTIONS).jobs(isolated("job", function, **keys))
    async with repo.running() as program:
        detail = await program.run("job")
        return detail, await program.messages(detail.run)


async def test_the_function_gets_what_it_would_get_in_the_server(repo_on_both: AppsRepo) -> None:
    detail, messages = await one(
        repo_on_both, "tells", op_kwargs="{ who = 'alice', day = 2026-03-01, n = '7' }".replace("'", '"')
    )
    assert detail.run.status == "succeeded", messages
    assert detail.run.rows_affected == 7
    output = detail.steps[0].output
    assert isinstance(output, dict)
    assert output.pop("pid") != os.getpid()
    assert output == {
        "rows_affected": 7,
        "who": "alice",
        "day": "2026-03-01",
        "run": detail.run.run_id,
        "user": "alice",
        "names": ["default"],
        "data": str(repo_on_both.marks),
        "chain": [],
        "attempt": 1,
        "key": f"job:{detail.run.run_id}:only",
    }
    for said in ("hello alice", "printed", "no end", "from ctx", "from below"):
        assert said in messages
    starts = [message for message in messages if message.startswith("nomaflow.python start")]
    names = "['connectors', 'ctx', 'day', 'n', 'settings', 'who']"
    head = f"nomaflow.python start run={detail.run.run_id} step='only' callable=work:tells"
    assert starts == [f"{head} kwargs={names}"]
    assert any(message.startswith("nomaflow.python done") for message in messages)


async def test_a_coroutine_function_with_connections_of_its_own(repo_on_both: AppsRepo) -> None:
    detail, messages = await one(repo_on_both, "tells_async")
    assert detail.run.status == "succeeded", messages
    output = detail.steps[0].output
    assert isinstance(output, dict)
    assert output["answer"] == [{"answer": 42}]
    assert output["pid"] != os.getpid()
    assert "async printed" in messages


async def test_the_shipped_functions_work_in_a_plain_function(repo: AppsRepo) -> None:
    detail, messages = await one(repo, "copies")
    assert detail.run.status == "succeeded", messages
    assert detail.run.rows_affected == 1


async def test_what_an_earlier_step_left_is_there_whole(repo: AppsRepo) -> None:
    repo.plugin(FUNCTIONS).jobs(
        '[[jobs]]\nname = "two"\n'
        '[[jobs.steps]]\ntype = "python"\nname = "first"\ncallable = "work:first"\nisolate = "process"\n'
        '[[jobs.steps]]\ntype = "python"\nname = "second"\ncallable = "work:second"\nisolate = "process"\n'
    )
    async with repo.running() as program:
        detail = await program.run("two")
        messages = await program.messages(detail.run)
    assert detail.run.status == "succeeded", messages
    assert detail.steps[0].output == {"small": 1}
    assert detail.steps[1].output == {"rows": 3, "price": "1.10", "day": "2026-03-01"}


@pytest.mark.parametrize(
    "function", ["raises", "fails", "unreachable", "returns_object", "exits", "raises_base"]
)
async def test_a_failure_reads_as_it_does_in_the_server(repo: AppsRepo, function: str) -> None:
    repo.plugin(FUNCTIONS).jobs(isolated("apart", function) + python_job("within", function))
    async with repo.running() as program:
        apart, within = await program.run("apart"), await program.run("within")
        assert str(apart.run.status) == "failed"
        assert apart.steps[0].error == within.steps[0].error
        logged = [
            [
                m.replace(apart.run.run_id, "r").replace(within.run.run_id, "r")
                for m in await program.messages(d.run)
            ]
            for d in (apart, within)
        ]
    drop = ("run ", "step ")
    assert [m for m in logged[0] if not m.startswith(drop)] == [
        m for m in logged[1] if not m.startswith(drop)
    ]


async def test_a_connection_error_is_tried_again_as_one(repo: AppsRepo) -> None:
    keys = 'retry = { attempts = 2, base_seconds = 0, retry_on = ["connection"] }'
    repo.plugin(FUNCTIONS).jobs(isolated("job", "unreachable", keys))
    async with repo.running() as program:
        detail = await program.run("job")
    assert [tried.number for tried in detail.steps[0].attempts] == [1, 2]


async def test_a_step_may_cancel_its_run(repo: AppsRepo) -> None:
    detail, _ = await one(repo, "cancels")
    assert str(detail.run.status) == "aborted"
    assert detail.steps[0].error is not None
    assert (detail.steps[0].error.type, detail.steps[0].error.message) == ("StepCancelled", "not today")


async def test_no_socket_file_or_secret_is_handed_down(repo: AppsRepo) -> None:
    detail, _ = await one(repo, "inherited")
    output = detail.steps[0].output
    assert isinstance(output, dict)
    fds, argv, environ = output["fds"], output["argv"], output["environ"]
    assert isinstance(fds, list)
    assert isinstance(argv, list)
    assert sum(str(fd).startswith("socket:") for fd in fds) == 2
    assert not [fd for fd in fds if ".db" in str(fd) or ".lock" in str(fd)]
    assert len(argv) == 3
    assert isinstance(environ, list)
    assert set(map(str, environ)) - set(os.environ) <= {
        "LC_CTYPE",
        "COLUMNS",
        "LINES",
    }  # what Python and a terminal set


async def test_lines_come_while_the_step_runs_and_in_order(repo: AppsRepo) -> None:
    repo.app(log_truncate_kb=10_000).plugin(FUNCTIONS).jobs(
        isolated("flood", "floods") + isolated("slow", "polite")
    )
    async with repo.running() as program:
        detail = await program.run("flood")
        messages = await program.messages(detail.run)
        lines = [m for m in messages if m.startswith("line ")]
        assert lines == [f"line {n}" for n in range(20_000)]
        run = await program.start("slow")
        await program.marked("started")

        async def begun() -> bool:
            return any(m.startswith("nomaflow.python start") for m in await program.messages(run))

        await eventually(begun)
        assert str(await program.status(run)) == "running"
        await program.abort(run)
        await program.ended(run)


async def test_what_it_says_is_free_of_secrets(repo: AppsRepo) -> None:
    repo.connectors(
        '[connectors.crm]\ntype = "api"\nbase_url = "https://crm.example"\nauth_token = "tell-nobody-123"\n'
    )
    repo.plugin(
        """
        def leaks(ctx):
            print("the token is tell-nobody-123")
            raise ValueError("tell-nobody-123")
        """
    ).jobs(isolated("job", "leaks"))
    async with repo.running() as program:
        detail = await program.run("job")
        messages = await program.messages(detail.run)
    assert "tell-nobody-123" not in repr((detail, messages))


def test_the_key_is_described_and_checked() -> None:
    key = jobs_schema()["$defs"]["python"]["properties"]["isolate"]
    assert (key["enum"], key["default"]) == (["none", "process"], "none")
    assert "process of its own" in key["description"]
    with pytest.raises(ValidationError, match="isolate"):
        PythonStep.model_validate({"callable": "work:noop", "isolate": "thread"})
