"""How late the event loops were in the last half hour, and which code held them: what the watchdog saw, kept short."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from liberty.clock import Clock

SAMPLE = timedelta(seconds=10)
SAMPLES = 180
HELD_KEPT = 10


@dataclass(frozen=True, slots=True)
class LagSample:
    """The worst of ten seconds."""

    at: datetime
    seconds: float


@dataclass(frozen=True, slots=True)
class Holder:
    """Code that kept a loop, or the interpreter, from others. Without run when it is none of a step's."""

    at: datetime
    seconds: float
    run_id: str | None
    step: str | None
    where: str
    advice: str


@dataclass(frozen=True, slots=True)
class LoopLag:
    """What is remembered, oldest first."""

    samples: tuple[LagSample, ...] = ()
    holders: tuple[Holder, ...] = ()


class LagMemory:
    """Written by the watchdog's thread, read by any other: single appends and copies, which need no lock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._samples: deque[LagSample] = deque(maxlen=SAMPLES)
        self._holders: deque[Holder] = deque(maxlen=HELD_KEPT)

    def note(self, seconds: float) -> None:
        """Somebody was so late just now."""
        now = self._clock.now()
        last = self._samples[-1] if self._samples else None
        if last is None or now - last.at >= SAMPLE:
            self._samples.append(LagSample(now, seconds))
        elif seconds > last.seconds:
            self._samples[-1] = LagSample(last.at, seconds)

    def blame(self, seconds: float, *, run_id: str | None, step: str | None, where: str, advice: str) -> None:
        """This code is why. The same place in the same run is told once, as it was last."""
        holder = Holder(self._clock.now(), seconds, run_id, step, where, advice)
        if self._holders:
            last = self._holders[-1]
            if (last.run_id, last.step, last.where) == (run_id, step, where):
                self._holders.pop()
        self._holders.append(holder)

    def view(self) -> LoopLag:
        return LoopLag(tuple(self._samples), tuple(self._holders))
