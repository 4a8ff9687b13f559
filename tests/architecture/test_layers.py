"""Imports go one way, and the tool that says so would notice if one did not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(folder / "src"), "NO_COLOR": "1"}
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_layers_hold() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "line", "reported"),
    [
        ("bus.py", "from liberty import api", "liberty.bus -> liberty.api"),
        (
            "jobs/steps/base.py",
            "from liberty.jobs import engine",
            "liberty.jobs.steps.base -> liberty.jobs.engine",
        ),
        ("connectors/__init__.py", "from liberty import auth", "liberty.connectors -> liberty.auth"),
        ("clock.py", "import pytest", "liberty.clock -> pytest"),
    ],
)
def test_an_import_that_goes_up_is_reported(tmp_path: Path, module: str, line: str, reported: str) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "src" / "liberty" / module).open("a") as file:
        file.write(f"\n{line}\n")

    done = lint_imports(tmp_path)

    assert done.returncode == 1, done.stdout
    assert reported in done.stdout
