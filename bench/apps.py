"""The apps repos that the measured server serves."""

from pathlib import Path

STEPS_OF_LONG_JOB = 51
LISTED_JOBS = 200

_NOTHING = """
[[jobs]]
name = "nothing"
description = "One step that does nothing"
single_instance = false
[[jobs.steps]]
type = "python"
name = "step"
callable = "load:nothing"
"""

_FLOODS = """
[[jobs]]
name = "flood"
description = "Logs until it has said enough lines and enough time has passed"
single_instance = false
[jobs.params]
lines = 1
seconds = 0.0
[[jobs.steps]]
type = "python"
name = "flood"
callable = "load:flood"

[[jobs]]
name = "compute"
description = "Keeps a core as busy, without a word"
single_instance = false
[jobs.params]
seconds = 0.0
[[jobs.steps]]
type = "python"
name = "compute"
callable = "load:compute"
"""

_PLUGIN = '''\
"""Steps that do nothing, or one thing a lot."""

import logging
import time

_log = logging.getLogger(__name__)
_CHUNK = 1000


def nothing():
    return None


def flood(lines: int, seconds: float):
    started = time.perf_counter()
    said = 0
    while said < lines or time.perf_counter() - started < seconds:
        for number in range(said, said + _CHUNK):
            _log.info("line %d of the flood, as long as lines of a busy step usually are", number)
        said += _CHUNK
    return {"lines": said, "seconds": time.perf_counter() - started}


def compute(seconds: float):
    started = time.perf_counter()
    rounds = 0
    while time.perf_counter() - started < seconds:
        for number in range(_CHUNK):
            "line %d of the flood, as long as lines of a busy step usually are" % number
        rounds += 1
    return {"rounds": rounds}
'''


def write_apps_repo(folder: Path, app_toml: str = "") -> Path:
    """Write jobs and plugin under `folder`; gives the config folder."""
    config = folder / "config"
    plugin = folder / "plugins" / "load"
    config.mkdir(parents=True)
    plugin.mkdir(parents=True)
    jobs = [_NOTHING, _long_job(), _FLOODS, *(_listed_job(number) for number in range(LISTED_JOBS))]
    (config / "app.toml").write_text(app_toml)
    (config / "jobs.toml").write_text("\n".join(jobs))
    (plugin / "__init__.py").write_text(_PLUGIN)
    return config


def listed_job(number: int) -> str:
    return f"listed-{number:03}"


def _long_job() -> str:
    step = '[[jobs.steps]]\ntype = "python"\nname = "step-{}"\ncallable = "load:nothing"\n'
    steps = "".join(step.format(number) for number in range(1, STEPS_OF_LONG_JOB + 1))
    return f'[[jobs]]\nname = "long"\nsingle_instance = false\n{steps}'


def _listed_job(number: int) -> str:
    step = '[[jobs.steps]]\ntype = "python"\ncallable = "load:nothing"\n'
    return f'[[jobs]]\nname = "{listed_job(number)}"\napp = "listed"\n{step}'
