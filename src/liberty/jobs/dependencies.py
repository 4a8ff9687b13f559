"""Whether the jobs that jobs name exist, and whether they wait for each other in a circle."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from liberty.errors import Problem, did_you_mean
from liberty.jobs.job import Job
from liberty.jobs.steps.call_job import CallJobStep

type Locate = Callable[[tuple[str | int, ...]], int | None]


def dependency_problems(
    jobs: Mapping[str, Job], known: Iterable[str], places: Mapping[str, Locate]
) -> dict[str, list[Problem]]:
    """Problems by job name: an unknown `depends_on` or `target_job`, and circular `depends_on` with its chain."""
    names = {name.lower(): name for name in known}
    problems: dict[str, list[Problem]] = {}

    def report(job: Job, path: tuple[str | int, ...], key: str, message: str) -> None:
        line = places[job.name](path)
        problem = Problem(message, file=job.origin.file, line=line, job=job.name, key=key)
        problems.setdefault(job.name, []).append(problem)

    for job in jobs.values():
        for index, wanted in enumerate(job.depends_on):
            if wanted.lower() not in names:
                near = did_you_mean(wanted, names.values())
                chain = f"{job.name} -> {wanted}"
                report(
                    job,
                    ("depends_on", index),
                    "depends_on",
                    f"no job {wanted!r} for depends_on ({chain}){near}",
                )
        for index, step in enumerate(job.steps):
            if not isinstance(step, CallJobStep) or "${" in step.target_job:
                continue
            if step.target_job.lower() not in names:
                near = did_you_mean(step.target_job, names.values())
                message = f"no job {step.target_job!r} to call{near}"
                report(job, ("steps", index, "target_job"), f"steps[{index}].target_job", message)
    for circle in _circles(jobs):
        chain = " -> ".join([*circle, circle[0]])
        for name in circle:
            report(jobs[name], ("depends_on",), "depends_on", f"circular depends_on: {chain}")
    return problems


def _circles(jobs: Mapping[str, Job]) -> Iterator[list[str]]:
    """Each circle once. Without recursion: a chain may be as long as there are jobs."""
    by_lower = {name.lower(): name for name in jobs}
    edges = {
        name: [by_lower[wanted.lower()] for wanted in job.depends_on if wanted.lower() in by_lower]
        for name, job in jobs.items()
    }
    done: set[str] = set()
    for start in edges:
        if start in done:
            continue
        path, waiting = [start], [iter(edges[start])]
        on_path = {start}
        while path:
            following = next(waiting[-1], None)
            if following is None:
                on_path.discard(path[-1])
                done.add(path.pop())
                waiting.pop()
            elif following in on_path:
                yield path[path.index(following) :]
            elif following not in done:
                path.append(following)
                on_path.add(following)
                waiting.append(iter(edges[following]))
