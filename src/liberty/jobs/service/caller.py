"""Who asks, and what of the jobs they may see or do. Forbidden looks like absent."""

from collections.abc import Iterable
from dataclasses import dataclass

from liberty.auth.principal import Principal, Verb
from liberty.errors import NotFound, did_you_mean
from liberty.jobs.catalogue import Catalogue
from liberty.jobs.engine.admission import Asker
from liberty.jobs.job import Job
from liberty.jobs.run import Run, TriggerKind


@dataclass(frozen=True, slots=True)
class Caller:
    """A known caller and the way they came: a signed-in browser (`manual`), a token (`api`) or the `cli`."""

    principal: Principal
    via: TriggerKind
    address: str | None = None
    os_user: str | None = None

    @property
    def by(self) -> str:
        """As it stands in `triggered_by`."""
        return f"cli:{self.os_user}" if self.os_user else f"user:{self.principal.name}"

    def asker(self, action: str) -> Asker:
        return Asker(self.principal, action, self.address)

    def may(self, verb: Verb, job: str, app: str) -> bool:
        return self.principal.may_job(verb, job, app)

    def job(self, catalogue: Catalogue, name: str, verb: Verb) -> Job:
        """The job of that name if the caller may do `verb` to it.

        Raises NotFound when it is absent or must look so, Conflict when it is quarantined.
        """
        return catalogue.get(self.job_name(catalogue, name, verb))

    def job_name(self, catalogue: Catalogue, name: str, verb: Verb) -> str:
        """The job's name as written, quarantined or not, if the caller may do `verb` to it; raises NotFound."""
        found = app_of(catalogue, name)
        if found is None or not self.may(verb, *found):
            known = [
                (job.name, job.app)
                for jobs in (catalogue.jobs, catalogue.quarantined)
                for job in jobs.values()
            ]
            raise NotFound(f"no job {name!r}{did_you_mean(name, sorted(self.visible(known)))}")
        return found[0]

    def run(self, run: Run | None, run_id: str, verb: Verb) -> Run:
        """`run` if the caller may do `verb` to its job; raises NotFound otherwise."""
        if run is None or not self.may(verb, run.job, run.app):
            raise NotFound(f"no run {run_id!r}")
        return run

    def visible(self, jobs: Iterable[tuple[str, str]]) -> frozenset[str]:
        """Which of the (name, app) pairs the caller may read."""
        return self.principal.visible_jobs(jobs, "read")


def app_of(catalogue: Catalogue, name: str) -> tuple[str, str] | None:
    """The job's name as written and its app, quarantined jobs included."""
    for jobs in (catalogue.jobs, catalogue.quarantined):
        found = jobs.get(name)
        if found is not None:
            return found.name, found.app
    folded = name.lower()
    for jobs in (catalogue.jobs, catalogue.quarantined):
        for known, job in jobs.items():
            if known.lower() == folded:
                return known, job.app
    return None
