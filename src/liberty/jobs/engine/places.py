"""How many runs this process may have in progress, and how many it has. Safe to ask from any thread."""

import threading


class Places:
    """A counter with a limit. `take` refuses once it is closed."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._taken = 0
        self._closed = False
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        return self._taken

    def take(self) -> bool:
        """Take a place; False when there is none."""
        with self._lock:
            if self._closed or self._taken >= self.limit:
                return False
            self._taken += 1
            return True

    def give_back(self) -> None:
        with self._lock:
            self._taken -= 1

    def close(self) -> None:
        with self._lock:
            self._closed = True
