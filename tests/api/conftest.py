"""One server for the tests that change nothing but runs; `own_server` for those that edit its files."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server import Server, lay_out, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(lay_out(tmp_path_factory.mktemp("repo"))) as found:
        yield found


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    with serving(lay_out(tmp_path)) as found:
        yield found
