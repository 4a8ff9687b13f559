"""Faults put between the program and a real database: the answer to a write is lost before or after its commit."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest

from liberty.database import Database, Operation, open_database
from liberty.errors import OutcomeUnknown, Unavailable


class LostAnswers:
    """A real database whose writes each fail the first time they are tried: nothing stored, or stored and not said.

    `only` names the operations concerned; None: all. `lost` counts what was lost, by operation;
    with `always` a write that is tried again is lost again.
    """

    def __init__(
        self, real: Database, when: Literal["before", "after"], only: frozenset[str] | None = None
    ) -> None:
        self.real = real
        self.dialect: Literal["sqlite", "postgresql"] = real.dialect
        self.loses_answers = True
        self.lost: Counter[str] = Counter()
        self.armed = True
        self.always = False
        self.reads_fail = False
        self._when = when
        self._only = only
        self._seen: set[Any] = set()

    async def write[**P, T](self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        name = getattr(operation, "__name__", "")
        key = (name, repr(args))
        concerned = self.armed and (self._only is None or name in self._only)
        if not concerned or (key in self._seen and not self.always):
            return await self.real.write(operation, *args, **kwargs)
        self._seen.add(key)
        self.lost[name] += 1
        if self._when == "before":
            raise Unavailable("the test lost the connection")
        await self.real.write(operation, *args, **kwargs)
        raise OutcomeUnknown("the test lost the answer")

    def begin_write[**P, T](
        self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> "asyncio.Future[T]":
        return asyncio.ensure_future(self.write(operation, *args, **kwargs))

    async def read[**P, T](self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self.reads_fail:
            raise Unavailable("the test has taken the database away")
        return await self.real.read(operation, *args, **kwargs)

    async def check(self) -> None:
        await self.real.check()

    async def leave_loop(self) -> None:
        await self.real.leave_loop()

    async def close(self) -> None:
        await self.real.close()


@contextmanager
def losing(
    monkeypatch: pytest.MonkeyPatch, when: Literal["before", "after"], only: frozenset[str] | None
) -> Iterator[list[LostAnswers]]:
    """Programs opened inside have a database that loses answers, once they are up."""
    made: list[LostAnswers] = []

    def open_unreliable(url: str, *, read_only: bool = False) -> Database:
        lossy = LostAnswers(open_database(url, read_only=read_only), when, only)
        lossy.armed = False
        made.append(lossy)
        return lossy

    monkeypatch.setattr("liberty.runtime.open_database", open_unreliable)
    yield made
