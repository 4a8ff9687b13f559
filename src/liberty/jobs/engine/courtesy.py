"""Lets a step that writes a flood of log lines step aside while other runs want the interpreter.

One thread at a time runs Python. A thread that logs without a pause would give way only every few milliseconds, and a
run needs the interpreter a dozen times. Alone, a flood is not slowed down; beside other runs it still writes some
thousands of lines a second.
"""

import threading
import time

WANTED_SECONDS = 0.1  # how long after the last sign of other work a flood stays polite
PAUSE_SECONDS = 0.003  # what a run wants to do between two waits is done in that time
LINES_BETWEEN_PAUSES = 8


class Courtesy:
    """`want` is called wherever a run is asked for, claimed or ended; `give_way` by whoever writes many lines."""

    def __init__(self) -> None:
        self._wanted_until = 0.0
        self._exempt: set[int] = set()

    def exempt_this_thread(self) -> None:
        """For the loops, which must never sleep."""
        self._exempt.add(threading.get_ident())

    def want(self) -> None:
        self._wanted_until = time.monotonic() + WANTED_SECONDS

    @property
    def wanted(self) -> bool:
        """Whether other work was seen lately."""
        return time.monotonic() < self._wanted_until

    def give_way(self) -> None:
        """Pause for a moment if other work was seen lately."""
        if self.wanted and threading.get_ident() not in self._exempt:
            time.sleep(PAUSE_SECONDS)


courtesy = Courtesy()
