"""The first five minutes of the README, as they are written there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

BIN = Path(sys.executable).parent
README = (ROOT / "README.md").read_text()


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found[1]


def admin(folder: Path, *arguments: str) -> str:
    """Run `liberty-admin` in the folder; what it said."""
    done = subprocess.run(
        [BIN / "liberty-admin", *arguments],
        cwd=folder,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_first_job(tmp_path: Path) -> None:
    admin(tmp_path, "init")
    assert "hello, Alice" in admin(tmp_path, "job", "run", "hello", "--params", "name=Alice")

    with (tmp_path / "config" / "jobs.toml").open("a") as file:
        file.write("\n" + block("toml"))
    (tmp_path / "plugins" / "hello" / "disk.py").write_text(block("python"))
    admin(tmp_path, "job", "validate")
    said = admin(tmp_path, "job", "run", "disk-space")
    assert "% full" in said
    assert "r-2 succeeded" in said


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_link_leads_somewhere(path: str) -> None:
    assert (ROOT / path).exists()
