"""The published samples are not tests of this suite; the tests here run them."""

import logging
from collections.abc import Iterator

import pytest

collect_ignore = ["samples"]


@pytest.fixture(autouse=True)
def log_level(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The process logs at INFO, as a server does unless it is told otherwise."""
    with caplog.at_level(logging.INFO):
        yield
