# From the page "Deploy and debug", section "Testing". Corrected: the imports of `refresh_security_users` and `mock` and
# the look at the target table, which the page leaves out; the fixtures stand in conftest.py.

# plugins/myapp/tests/test_cleanup.py
from unittest import mock

import pytest
from myapp.cleanup import purge_old_sessions, refresh_security_users
from sqlalchemy import text


@pytest.mark.asyncio
async def test_purge_old_sessions(fake_registry):
    result = await purge_old_sessions(
        connectors=fake_registry,
        ctx=None,  # the function doesn't read it
        apps_id=10,
        max_age_days=30,
    )
    assert result["rows_affected"] >= 0


@pytest.mark.asyncio
async def test_refresh_security_against_real_db(real_registry):
    result = await refresh_security_users(
        connectors=real_registry,
        ctx=mock.MagicMock(run_id="test_run"),
        apps_id=10,
    )
    # Verify the target table was actually written.
    async with real_registry.pools.engine("default").begin() as conn:
        written = (await conn.execute(text("SELECT apps_id, run_id FROM security_users"))).all()
    assert written == [(10, "test_run")]
    assert result["rows_affected"] == 1
