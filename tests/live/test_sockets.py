"""Socket.IO with a real client: who gets in, what arrives, and what stops arriving."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import socketio

from tests.server import Server


class Listener:
    """A client that keeps what it hears."""

    def __init__(self) -> None:
        self.socket = socketio.AsyncClient(reconnection=False)
        self.heard: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.socket.on("*", self._hear)

    async def _hear(self, event: str, data: Any = None) -> None:
        await self.heard.put((event, data))

    async def until(self, event: str) -> tuple[Any, list[tuple[str, Any]]]:
        """The data of the next `event`, and all that came before it."""
        before: list[tuple[str, Any]] = []
        async with asyncio.timeout(15):
            while True:
                name, data = await self.heard.get()
                if name == event:
                    return data, before
                before.append((name, data))

    async def ask(self, event: str, data: Any = None) -> dict[str, Any]:
        answer: dict[str, Any] = await self.socket.call(event, data, timeout=10)
        return answer


@asynccontextmanager
async def connected(server: Server, person: str | None, **options: Any) -> AsyncIterator[Listener]:
    listener = Listener()
    auth = {"token": server.tokens[person]} if person else None
    await listener.socket.connect(server.url, auth=auth, transports=["websocket"], wait_timeout=10, **options)
    try:
        yield listener
    finally:
        await listener.socket.disconnect()


async def start(server: Server, job: str, body: dict[str, Any] | None = None) -> str:
    return await asyncio.to_thread(server.start, job, body)


@pytest.mark.parametrize("auth", [None, {}, {"token": "nfa_wrong"}, {"token": 5}, "text"])
async def test_nobody_comes_in_without_credentials(server: Server, auth: Any) -> None:
    client = socketio.AsyncClient(reconnection=False)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.connect(server.url, auth=auth, transports=["websocket"], wait_timeout=5)


async def test_a_cookie_is_believed_only_from_this_site(server: Server) -> None:
    answer = await asyncio.to_thread(
        server.client(None).post, "/auth/session", json={"username": "admin", "password": "for-tests-only"}
    )
    cookie = answer.headers["set-cookie"].partition(";")[0]
    for origin in ("https://evil.example", "null", None):
        client = socketio.AsyncClient(reconnection=False)
        headers = {"Cookie": cookie, **({"Origin": origin} if origin else {})}
        with pytest.raises(socketio.exceptions.ConnectionError):
            await client.connect(server.url, headers=headers, transports=["websocket"], wait_timeout=5)
    client = socketio.AsyncClient(reconnection=False)
    await client.connect(
        server.url, headers={"Cookie": cookie, "Origin": server.url}, transports=["websocket"], wait_timeout=5
    )
    await client.disconnect()


async def test_a_run_is_followed_to_its_end_and_agrees_with_rest(server: Server) -> None:
    run_id = await start(server, "wait")
    async with connected(server, "root") as listener:
        answer = await listener.ask("run.subscribe", {"run_id": run_id, "since_seq": 0})
        assert (answer["ok"], answer["room"]) == (True, f"run:{run_id}")
        lines = []
        while not any(line["message"] == "waiting" for line in lines):
            data, _ = await listener.until("job.run.log")
            assert data["run_id"] == run_id
            lines += data["lines"]
        await asyncio.to_thread(server.root.post, f"/admin/jobs/runs/{run_id}/abort")
        states = []
        while states[-1:] != ["aborted"]:
            data, before = await listener.until("job.run.transitioned")
            states.append(data["status"])
            lines += [line for name, item in before if name == "job.run.log" for line in item["lines"]]
        run = await asyncio.to_thread(server.ended, run_id)
        while len(lines) < len(run["logs"]):
            data, _ = await listener.until("job.run.log")
            lines += data["lines"]
        assert lines == run["logs"]


async def test_a_late_listener_gets_what_it_missed(server: Server) -> None:
    run_id = await start(server, "chatty", {"op_kwargs": {"talk": {"lines": 1500}}})
    run = await asyncio.to_thread(server.ended, run_id)
    async with connected(server, "root") as listener:
        await listener.ask("run.subscribe", {"run_id": run_id, "since_seq": 10})
        seen: list[int] = []
        while len(seen) < run["log_lines"] - 10:
            data, _ = await listener.until("job.run.log")
            seen += [line["seq"] for line in data["lines"]]
        assert seen == list(range(11, run["log_lines"] + 1))


async def test_the_catalogue_is_told_of_runs_and_steps_and_reloads(server: Server) -> None:
    async with connected(server, "root") as listener:
        assert (await listener.ask("jobs.subscribe"))["ok"]
        run_id = await start(server, "greet")
        states = []
        steps = []
        while states[-1:] != ["succeeded"]:
            data, before = await listener.until("job.run.transitioned")
            states.append(data["status"])
            steps += [item["status"] for name, item in before if name == "job.step.transitioned"]
            assert data["run_id"] == run_id
        assert states == ["queued", "running", "succeeded"]
        assert steps[-1:] == ["succeeded"]
        await asyncio.to_thread(server.root.post, "/admin/reload")
        data, _ = await listener.until("config.reloaded")
        assert data["quarantined"] == 1


async def test_nobody_hears_of_what_they_may_not_read(server: Server) -> None:
    run_id = await start(server, "greet2")
    async with connected(server, "alice") as alice, connected(server, "charlie") as charlie:
        for listener in (alice, charlie):
            assert (await listener.ask("run.subscribe", {"run_id": run_id}))["code"] == "not_found"
            assert (await listener.ask("pools.subscribe"))["ok"] is False
            await listener.ask("jobs.subscribe")
        await asyncio.to_thread(server.ended, await start(server, "greet2"))
        seen_by_alice = await start(server, "greet")
        await asyncio.to_thread(server.ended, seen_by_alice)
        data, before = await alice.until("job.run.transitioned")
        assert data["run_id"] == seen_by_alice
        assert before == []
        await charlie.ask("jobs.unsubscribe")
        assert charlie.heard.empty()


@pytest.mark.parametrize("data", [None, 5, [], {}, {"run_id": 1}, {"run_id": "r-1", "since_seq": "x"}])
async def test_a_wrong_subscription_is_refused_and_does_no_harm(server: Server, data: Any) -> None:
    async with connected(server, "root") as listener:
        assert (await listener.ask("run.subscribe", data))["ok"] is False
        assert (await listener.ask("jobs.subscribe"))["ok"] is True


async def test_pools_are_told_to_whoever_may_see_them(server: Server) -> None:
    async with connected(server, "editor") as listener:
        assert (await listener.ask("pools.subscribe"))["ok"]
        data, _ = await listener.until("pool.stats")
        assert "default" in {pool["pool"] for pool in data["pools"]}


async def test_a_revoked_right_stops_the_stream(own_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    # The check is due every minute; waiting for it would be waiting.
    async with connected(own_server, "alice") as listener:
        run_id = await asyncio.to_thread(own_server.start, "greet")
        await listener.ask("run.subscribe", {"run_id": run_id})
        accounts = own_server.runtime.accounts
        change = accounts.set_active("alice", active=False, actor="test")
        await asyncio.wrap_future(own_server.lane.submit(change))
        hub = own_server.application.hub
        assert hub is not None
        await asyncio.wrap_future(own_server.lane.submit(hub.recheck()))
        async with asyncio.timeout(10):
            await listener.socket.wait()
        assert not listener.socket.connected
