"""Directories and HTTP services as the settings pages ask them: what attributes there are, what an endpoint answers."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from liberty.connectors import looking
from liberty.connectors.ldap import Scope
from liberty.connectors.looking_at_directories import attributes
from liberty.errors import Invalid, NotFound, did_you_mean
from liberty.jobs.engine.generation import Generation
from liberty.jobs.run import Json
from liberty.jobs.service.loose import loose
from liberty.jobs.service.wire import Wire
from liberty.secrets import redactor

ENDPOINT_SECONDS = 30.0
MAX_TEXT = 100 * 1024
MAX_ITEMS = 100
READS = frozenset({"GET", "HEAD", "OPTIONS"})


class RemoteSources:
    """Asks over the connectors of the present generation. Rights were checked by the table of routes."""

    def __init__(self, *, current: Callable[[], Generation]) -> None:
        self._current = current

    async def attributes(self, pool: str, *, base: str | None, search_filter: str, scope: Scope) -> Wire:
        """What the first 50 entries below a base have. Raises NotFound, Invalid, Unavailable."""
        directory = self._current().connectors.directory(pool)
        found = await attributes(directory, base=base, search_filter=search_filter, scope=scope)
        return {
            "pool": pool,
            "base": found.base,
            "bases": list(found.bases),
            "entries": found.entries,
            "items": [
                {
                    "name": one.name,
                    "entries": one.entries,
                    "several": one.several,
                    "example": redactor.redact_value({one.name: one.example})[one.name],
                }
                for one in found.attributes
            ],
        }

    async def run_endpoint(self, connector: str, endpoint: str, params: Mapping[str, Any]) -> Wire:
        """Call an endpoint that only reads; of many pages the first. Raises NotFound, Invalid, Unavailable."""
        api = self._current().connectors.api(connector)
        declared = next((one for one in api.config.endpoints if one.name == endpoint), None)
        if declared is None:
            near = did_you_mean(endpoint, api.endpoint_names())
            raise NotFound(f"connector {connector!r} has no endpoint {endpoint!r}{near}")
        if declared.method not in READS:
            raise Invalid(
                f"endpoint {endpoint!r} is {declared.method} and may change data; only GET can be run here"
            )
        answer = await looking.answered(
            api.first_page(endpoint, params), f"endpoint {endpoint!r}", ENDPOINT_SECONDS
        )
        shown = answer.mapped if answer.mapped is not None else answer.extracted
        items = len(shown) if isinstance(shown, list) else None
        result: Json = redactor.redact_value(loose(shown[:MAX_ITEMS] if isinstance(shown, list) else shown))
        # Secrets are known by their names, so JSON is shown as it is without them.
        decoded = None if answer.json is None else redactor.redact_value(loose(answer.json))
        body = redactor.redact(answer.body) if decoded is None else json.dumps(decoded, ensure_ascii=False)
        return {
            "connector": connector,
            "endpoint": endpoint,
            "ok": answer.success,
            "status": answer.status_code,
            "duration_ms": answer.duration_ms,
            "content_type": answer.headers.get("content-type"),
            "result": result,
            "items": items,
            "body": body[:MAX_TEXT],
            "truncated": answer.truncated or len(body) > MAX_TEXT or (items or 0) > MAX_ITEMS,
            "error": None if answer.error is None else redactor.redact(answer.error),
        }
