"""The answers are what the OpenAPI document promises: each real answer fits its model, no key more or less."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from liberty.api import models
from liberty.api.models.data_sources import ConnectorListModel, ConnectorNamesModel, PoolListModel
from liberty.api.models.lanes import LanesModel
from liberty.api.models.log_pane import LogMatchesModel, LogSummaryModel
from liberty.api.models.overview import LoadModel, OverviewModel
from liberty.api.models.run_pages import ChangesModel, CompareModel, RunCountsModel, RunStoryModel
from tests.server import Server, lay_out, serving


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A server with some history: a run that failed, one that was replayed."""
    folder: Path = tmp_path_factory.mktemp("wire")
    jobs = """
[[jobs]]
name = "fails"
schedule = "every 1h"
[jobs.retry]
attempts = 2
base_seconds = 0
[[jobs.steps]]
type = "python"
callable = "hello.jobs:missing"
[[jobs]]
name = "broken"
steps = 1
"""
    with serving(lay_out(folder, jobs=jobs)) as server:
        first = server.start("fails")
        server.ended(first)
        second = server.root.post(f"/admin/jobs/runs/{first}/replay").json()["run_id"]
        server.ended(second)
        server.root.post("/admin/jobs/fails/pause", json={"until": "2099-01-01", "reason": "tests"})
        yield server, second


ANSWERS: list[tuple[str, type[BaseModel]]] = [
    ("/auth/me", models.MeModel),
    ("/admin/jobs", models.JobListModel),
    ("/admin/jobs/fails", models.JobDetailModel),
    ("/admin/jobs/broken", models.JobDetailModel),
    ("/admin/jobs/runs", models.RunPageModel),
    ("/admin/jobs/runs/{run}", models.RunDetailModel),
    ("/admin/jobs/runs/{run}/logs", models.LogPageModel),
    ("/admin/jobs/fails/why", models.WhyModel),
    ("/admin/jobs/fails/plan", models.PlanModel),
    ("/admin/jobs/fails/marks", models.MarkPageModel),
    ("/admin/jobs/fails/definition", models.DefinitionModel),
    ("/admin/jobs/broken/definition", models.DefinitionModel),
    ("/admin/jobs/fails/versions", models.VersionPageModel),
    ("/admin/jobs/fails/versions/1", models.VersionDetailModel),
    ("/admin/jobs/fails/form", models.RunFormModel),
    ("/admin/job-files", models.JobFilesModel),
    ("/admin/jobs/schedule", models.CalendarModel),
    ("/admin/jobs/cron-preview?schedule=@daily", models.PreviewModel),
    ("/admin/jobs/callables", models.CallablesModel),
    ("/admin/jobs/health", models.TechnicalModel),
    ("/admin/config/jobs", models.ConfigModel),
    ("/admin/freeze", models.FreezeModel),
    ("/admin/jobs/runs/counts", RunCountsModel),
    ("/admin/jobs/runs/compare?a={run}&b={run}", CompareModel),
    ("/admin/jobs/runs/{run}/story", RunStoryModel),
    ("/admin/jobs/runs/{run}/changes", ChangesModel),
    ("/admin/jobs/runs/{run}/logs/summary", LogSummaryModel),
    ("/admin/jobs/runs/{run}/logs/search?q=a", LogMatchesModel),
    ("/admin/overview/jobs", OverviewModel),
    ("/admin/overview/load", LoadModel),
    ("/admin/overview/calendar", LanesModel),
    ("/admin/pools", PoolListModel),
    ("/admin/connectors", ConnectorListModel),
    ("/admin/connectors/names", ConnectorNamesModel),
]


def keys(value: Any, model: type[BaseModel]) -> None:
    """Every key of the model is in the answer."""
    assert set(value) == set(model.model_fields)


@pytest.mark.parametrize(("path", "model"), ANSWERS, ids=[path for path, _ in ANSWERS])
def test_an_answer_fits_its_model(used: tuple[Server, str], path: str, model: type[BaseModel]) -> None:
    server, run_id = used
    answer = server.root.get(path.replace("{run}", run_id))
    assert answer.status_code == 200, answer.text
    keys(answer.json(), model)
    model.model_validate(answer.json())


def test_runs_steps_and_lines_have_every_promised_key(used: tuple[Server, str]) -> None:
    server, run_id = used
    run = server.root.get(f"/admin/jobs/runs/{run_id}").json()
    keys({key: run[key] for key in models.RunModel.model_fields}, models.RunModel)
    for step in run["steps"]:
        keys(step, models.StepModel)
        keys(step["error"], models.StepErrorModel)
        for attempt in step["attempts"]:
            keys(attempt, models.AttemptModel)
    for line in run["logs"]:
        keys(line, models.LogLineModel)
    assert run["replay_of"] == "r-1"
    assert len(run["steps"][0]["attempts"]) == 2


def _try() -> dict[str, str]:
    step = '[[jobs.steps]]\ntype = "python"\nname = "s"\ncallable = "hello.jobs:say"\n'
    return {"toml": f'[[jobs]]\nname = "tried"\n{step}', "step": "s"}


CHANGES: list[tuple[Callable[[Server], Any], type[BaseModel]]] = [
    (lambda server: server.root.post("/admin/jobs/fails/run").json(), models.RunQueuedModel),
    (lambda server: server.root.post("/admin/reload").json(), models.ReloadModel),
    (lambda server: server.root.post("/admin/plugins/hello/reload").json(), models.PluginReloadModel),
    (
        lambda server: server.root.post("/admin/jobs/validate", json={"toml": "x=1"}).json(),
        models.ValidationModel,
    ),
    (
        lambda server: server.root.post("/admin/drafts", json={"toml": "[[jobs]]\nx = 1"}).json(),
        models.DraftModel,
    ),
    (
        lambda server: server.root.post("/admin/drafts/preview-step", json=_try()).json(),
        models.StepPreviewModel,
    ),
    (
        lambda server: server.root.post("/admin/drafts/test-step", json=_try()).json(),
        models.StepTestQueuedModel,
    ),
    (
        lambda server: server.client(None).post("/auth/login", json={"username": "", "password": ""}).json(),
        models.ProblemDocument,
    ),
]


@pytest.mark.parametrize(("ask", "model"), CHANGES, ids=[model.__name__ for _, model in CHANGES])
def test_an_answer_to_a_change_fits_its_model(
    used: tuple[Server, str], ask: Callable[[Server], Any], model: type[BaseModel]
) -> None:
    model.model_validate(ask(used[0]))
