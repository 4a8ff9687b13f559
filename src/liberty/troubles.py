"""What is wrong with this process at the moment, one sentence per cause, for `/healthz` and the log."""

import logging
import threading

_log = logging.getLogger("liberty.health")


class Troubles:
    """Independent causes, each under a name of its own (`database`, `threads`). Any thread may report."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}
        self._lock = threading.Lock()

    def note(self, cause: str, reason: str | None) -> None:
        """`cause` holds now, for this reason; None: it is over. Logged when it begins and when it ends."""
        with self._lock:
            before = self._reasons.get(cause)
            if reason is None:
                self._reasons.pop(cause, None)
            else:
                self._reasons[cause] = reason
        if reason is not None and before is None:
            _log.warning("degraded: %s: %s", cause, reason)
        elif reason is None and before is not None:
            _log.info("recovered: %s (was: %s)", cause, before)

    @property
    def reasons(self) -> dict[str, str]:
        """Cause and reason of everything that is wrong now; empty when all is well."""
        with self._lock:
            return dict(self._reasons)
