"""The fixture the page "Custom Python steps" says is enough for most tests."""

import pytest

from liberty.testing import build_fake_ctx


@pytest.fixture
def fake_ctx():
    return build_fake_ctx()
