"""What ends up in a run's log: everything it said, from its own threads too, in order, counted exactly when cut."""

import logging
import sys
from typing import Any

import pytest

from liberty.jobs.run import LogLine
from liberty.secrets import redactor
from tests.factories import ALICE, AppsRepo, Program, eventually, python_job

TALKS = """
def prints(ctx):
    print("one")
    print("two", "three", sep="\\n")
    print("no newline at the end", end="")

def says_it_all(ctx):
    print("printed")
    print("to stderr", file=sys.stderr)
    logging.getLogger("some.library").warning("from a library")
    ctx.log.info("by %s", "ctx")
    ctx.log.debug("too fine")
    log.error("an error")
    log.critical("critical")
    def in_thread():
        print("from a thread")
        log.info("logged in a thread")
    thread = threading.Thread(target=in_thread)
    thread.start()
    thread.join()

async def says_it_all_async(ctx):
    print("printed")
    log.info("logged")
    await asyncio.to_thread(print, "from to_thread")
    async def task():
        print("from a task")
    await asyncio.create_task(task())
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(1) as pool:
        pool.submit(print, "from a pool").result()

def many_threads(ctx, lines: int = 200):
    def talk(number):
        for line in range(lines):
            log.info("thread %d line %d", number, line)
    threads = [threading.Thread(target=talk, args=(n,)) for n in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()

def lines(ctx, count: int, width: int = 100):
    for number in range(count):
        log.info("%06d %s", number, "x" * width)
"""


async def lines_of(program: Program, run_number: int) -> list[LogLine]:
    return await program.runtime.reader.log_lines(run_number, 0)


def own(lines: list[LogLine]) -> list[tuple[str, str, str]]:
    """Level, logger and message of the lines that the plugin wrote."""
    return [(x.level, x.logger, x.message) for x in lines if not x.logger.startswith("nomaflow")]


async def test_everything_said_inside_a_step_is_in_its_log(repo: AppsRepo) -> None:
    repo.plugin(TALKS).jobs(python_job("talk", "says_it_all"))
    async with repo.running() as program:
        detail = await program.run("talk")
        messages = await program.messages(detail.run)
    assert own(detail.lines) == [
        ("INFO", "stdout", "printed"),
        ("INFO", "stderr", "to stderr"),
        ("WARNING", "some.library", "from a library"),
        ("INFO", "liberty.jobs.talk", "by ctx"),
        ("ERROR", "work", "an error"),
        ("ERROR", "work", "critical"),
        ("INFO", "stdout", "from a thread"),
        ("INFO", "work", "logged in a thread"),
    ]
    assert {line.step for line in detail.lines if not line.logger.startswith("nomaflow")} == {"only"}
    assert detail.run.log_lines == len(messages) == len(detail.lines)
    assert detail.run.log_dropped == 0


async def test_a_coroutine_is_heard_in_its_tasks_and_helpers(repo: AppsRepo) -> None:
    repo.plugin(TALKS).jobs(python_job("talk", "says_it_all_async"))
    async with repo.running() as program:
        detail = await program.run("talk")
    assert [message for _, _, message in own(detail.lines)] == [
        "printed",
        "logged",
        "from to_thread",
        "from a task",
        "from a pool",
    ]


async def test_a_line_without_its_end_is_not_lost_and_not_given_to_the_next_run(repo: AppsRepo) -> None:
    repo.plugin(TALKS).jobs(python_job("talk", "prints"))
    async with repo.running() as program:
        details = [await program.run("talk") for _ in range(3)]
    for detail in details:
        assert [message for _, _, message in own(detail.lines)] == [
            "one",
            "two",
            "three",
            "no newline at the end",
        ]


async def test_unfinished_lines_of_two_coroutines_do_not_mix(repo: AppsRepo) -> None:
    repo.plugin(
        """
        async def halves(ctx, who: str):
            print(who, end="")
            mark(ctx, f"half-{who}")
            while not marked(ctx, "go"):
                await asyncio.sleep(0.01)
            print(who)
        """
    ).jobs(python_job("half", "halves", "single_instance = false"))
    async with repo.running() as program:
        runs = [await program.start("half", params={"who": who}) for who in "ab"]
        for who in "ab":
            await program.marked(f"half-{who}")
        program.mark("go")
        details = [await program.ended(run) for run in runs]
    assert [[m for _, _, m in own(d.lines)] for d in details] == [["aa"], ["bb"]]


async def test_a_pool_of_threads_shared_by_runs_writes_to_the_run_it_works_for(repo: AppsRepo) -> None:
    repo.plugin(
        """
        from concurrent.futures import ThreadPoolExecutor
        pool = ThreadPoolExecutor(1)

        async def speaks(ctx, who: str):
            pool.submit(log.info, "first of %s", who).result()
            mark(ctx, f"spoke-{who}")
            while not marked(ctx, "go"):
                await asyncio.sleep(0.01)
            pool.submit(log.info, "second of %s", who).result()
        """
    ).jobs(python_job("speak", "speaks", "single_instance = false"))
    async with repo.running() as program:
        runs = []
        for who in "ab":
            runs.append(await program.start("speak", params={"who": who}))
            await program.marked(f"spoke-{who}")
        program.mark("go")
        details = [await program.ended(run) for run in runs]
    assert [[m for _, _, m in own(d.lines)] for d in details] == [
        ["first of a", "second of a"],
        ["first of b", "second of b"],
    ]


async def test_lines_of_many_threads_are_numbered_without_gap(repo: AppsRepo) -> None:
    repo.plugin(TALKS).jobs(python_job("talk", "many_threads"))
    async with repo.running() as program:
        detail = await program.run("talk")
        messages = await program.messages(detail.run)
    for number in range(8):
        mine = [m for m in messages if m.startswith(f"thread {number} ")]
        assert mine == [f"thread {number} line {line}" for line in range(200)]
    assert detail.run.log_lines == len(messages)


@pytest.mark.parametrize("count", [50, 150, 5000])
async def test_a_cut_log_keeps_its_head_and_tail_and_counts_the_rest(repo: AppsRepo, count: int) -> None:
    repo.app(log_truncate_kb=4).plugin(TALKS).jobs(python_job("talk", "lines"))
    async with repo.running() as program:
        detail = await program.run("talk", op_kwargs={"only": {"count": count}})
        messages = await program.messages(detail.run)
    assert detail.run.status == "succeeded"
    numbered = [int(m[:6]) for m in messages if m[:6].isdigit()]
    notes = [m for m in messages if m.startswith("log cut:")]
    head = [n for position, n in enumerate(numbered) if n == position]
    said = count + 4  # run started, python start, python done, step ended; the end of the run comes last
    assert len(messages) - len(notes) + detail.run.log_dropped == said + 1
    assert detail.run.log_lines == len(messages)
    assert messages[-1].startswith("run succeeded")
    if count == 50:
        assert (notes, numbered) == ([], list(range(50)))
        return
    [note] = notes
    assert note.startswith(f"log cut: {detail.run.log_dropped} lines dropped here")
    assert len(messages) - messages.index(note) - 1 == 100
    assert 0 < len(head) < 50
    tail = numbered[len(head) :]
    assert tail == list(range(count - len(tail), count))


async def test_no_line_is_dropped_when_the_rest_fits_in_the_tail(repo: AppsRepo) -> None:
    repo.app(log_truncate_kb=4).plugin(TALKS).jobs(python_job("talk", "lines"))
    async with repo.running() as program:
        detail = await program.run("talk", op_kwargs={"only": {"count": 110}})
        messages = await program.messages(detail.run)
    assert (detail.run.log_dropped, len(messages)) == (0, 115)
    assert not any(m.startswith("log cut") for m in messages)


async def test_lines_can_be_read_while_the_run_goes_on(repo: AppsRepo) -> None:
    repo.plugin("").jobs(python_job("slow", "wait_for_go"))
    async with repo.running() as program:
        run = await program.start("slow")
        await program.marked("started-only")
        await eventually(lambda: started_line(program, run.number), within=2)
        program.mark("go")
        await program.ended(run)


async def started_line(program: Program, number: int) -> bool:
    return any("nomaflow.python start" in line.message for line in await lines_of(program, number))


async def test_one_run_at_debug_does_not_make_the_others_talk(repo: AppsRepo) -> None:
    repo.plugin(
        """
        async def talks(ctx, who: str):
            mark(ctx, f"here-{who}")
            while not marked(ctx, "go"):
                await asyncio.sleep(0.01)
            ctx.log.debug("fine detail of %s", who)
            logging.getLogger("library").debug("library detail of %s", who)
            ctx.log.info("news of %s", who)
        """
    ).jobs(python_job("talk", "talks", "single_instance = false"))
    async with repo.running() as program:
        loud = await program.start("talk", params={"who": "loud"}, log_level="DEBUG")
        quiet = await program.start("talk", params={"who": "quiet"})
        await program.marked("here-loud")
        await program.marked("here-quiet")
        program.mark("go")
        loud_lines = own((await program.ended(loud)).lines)
        quiet_lines = own((await program.ended(quiet)).lines)
        assert ("DEBUG", "library", "library detail of loud") in loud_lines
        assert ("DEBUG", "liberty.jobs.talk", "fine detail of loud") in loud_lines
        assert quiet_lines == [("INFO", "liberty.jobs.talk", "news of quiet")]
    assert logging.getLogger().level == logging.INFO


async def test_what_a_database_cannot_hold_does_not_stop_a_run(repo_on_both: AppsRepo) -> None:
    repo_on_both.plugin(
        """
        def odd(ctx):
            log.info("nul \\0 here")
            print("half a pair \\ud800 here")
            print("nul \\0 printed")
            logging.getLogger("odd\\0name").warning("odd logger")
            return {"text": "nul \\0"}

        def fails_oddly():
            raise ValueError("nul \\0")
        """
    ).jobs(python_job("odd", "odd") + python_job("fails", "fails_oddly"))
    async with repo_on_both.running() as program:
        detail = await program.run("odd")
        messages = await program.messages(detail.run)
        failed = await program.run("fails")
    assert detail.run.status == "succeeded"
    assert failed.run.status == "failed"
    assert failed.steps[0].error is not None
    assert failed.steps[0].error.type == "ValueError"
    assert any("nul" in m and "here" in m for m in messages)
    assert any("half a pair" in m for m in messages)
    assert not any("\0" in m for m in messages)


async def test_secrets_are_nowhere(repo: AppsRepo) -> None:
    secret = "wachtwoord-" + "9" * 12
    redactor.register(secret)
    repo.plugin(
        """
        SECRET = "wachtwoord-" + "9" * 12

        def leaks(ctx):
            print("printed", SECRET)
            log.info("logged %s", SECRET)
            log.info("x" * 8185 + SECRET)
            return {"found": SECRET, "nested": [{"key": SECRET}], "password": "of any value"}

        def fails_with_it():
            raise ValueError("cannot use " + SECRET)
        """
    ).jobs(python_job("leaks", "leaks") + python_job("fails", "fails_with_it"))
    async with repo.running() as program:
        details = [await program.run("leaks"), await program.run("fails")]
    assert details[0].steps[0].output == {
        "found": "***",
        "nested": [{"key": "***"}],
        "password": "***",
    }
    for detail in details:
        assert secret not in repr(detail)
        assert "wachtwoord" not in repr(detail)


async def test_what_is_printed_outside_a_run_stays_on_the_console(
    repo: AppsRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    repo.plugin("").jobs(python_job("quick", "noop"))
    before = sys.stdout
    async with repo.running() as program:
        print("to the console")
        detail = await program.run("quick")
    assert sys.stdout is before
    assert "to the console" in capsys.readouterr().out
    assert "to the console" not in [line.message for line in detail.lines]


async def test_the_level_filter_reads_that_level_and_graver_ones(repo: AppsRepo) -> None:
    repo.plugin(TALKS).jobs(python_job("talk", "says_it_all"))
    async with repo.running() as program:
        detail = await program.run("talk")
        found: Any = await program.runtime.reader.log_lines(detail.run.number, 0, level="WARNING")
        run = await program.runtime.reader.get(detail.run.run_id, ALICE)
    assert [line.message for line in found] == ["from a library", "an error", "critical"]
    assert run.log_lines == len(detail.lines)
