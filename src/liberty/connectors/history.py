"""Where run history and users are kept: the pool that `[jobs] pool` names."""

from typing import TYPE_CHECKING

from liberty.connectors.registry import ConnectorRegistry

if TYPE_CHECKING:
    from liberty.settings import Settings


def history_url(connectors: ConnectorRegistry, settings: "Settings") -> str:
    """The URL of that pool with its password filled in. Raises as `PoolSet.resolve`."""
    from sqlalchemy.engine import make_url

    from liberty.settings import absolute_sqlite_url

    pool = connectors.pools.config(connectors.pools.resolve(settings.jobs.pool))
    url = make_url(absolute_sqlite_url(pool.url, settings.paths.apps_repo))
    if pool.password is not None:
        url = url.set(password=pool.password)
    return url.render_as_string(hide_password=False)
