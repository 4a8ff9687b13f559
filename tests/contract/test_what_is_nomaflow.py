"""The page "What is Nomaflow": every pattern of its table can be written down."""

from pathlib import Path

import pytest

from liberty.jobs.catalogue import Catalogue, job_sources, load_catalogue
from liberty.settings import load_settings
from tests.contract.site import SAMPLES


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    config = SAMPLES / "what_is_nomaflow" / "config"
    settings = load_settings({"LIBERTY_APPS_DIR": str(config)}, cwd=Path(config))
    return load_catalogue(job_sources(settings), {"API_TOKEN": "token-of-alice"})


PATTERNS = {
    "scheduled-database-sync": ["sql_copy"],
    "external-api-pull": ["http", "python", "sql_query"],
    "directory-mirror": ["python"],
    "conditional-cleanup": ["sql_query", "python"],
    "manual-one-off": ["python"],
    "file-watcher": ["python"],
    "smoke-test": ["http"],
}


def test_every_pattern_is_a_valid_job(catalogue: Catalogue) -> None:
    assert catalogue.problems == []
    own = {
        job.name: [step.type for step in job.steps] for job in catalogue.jobs.values() if "/" not in job.name
    }
    assert own == PATTERNS


def test_an_alert_may_wait_for_three_failures_in_a_row(catalogue: Catalogue) -> None:
    alerts = catalogue.get("smoke-test").alerts
    assert alerts is not None
    assert (alerts.on_failure, alerts.after_failures, alerts.recipients) == (True, 3, ("ops@corp.example",))


def test_a_manual_one_off_has_no_schedule_and_asks_for_its_parameters(catalogue: Catalogue) -> None:
    job = catalogue.get("manual-one-off")
    assert job.fires == ()
    assert [(spec.name, spec.required) for spec in job.param_specs] == [("release", True)]
