"""Events that a hostile client may send over its socket."""

import socketio

from tests.server import Server


async def connected(server: Server, name: str) -> socketio.AsyncClient:
    client = socketio.AsyncClient(reconnection=False)
    await client.connect(server.url, auth={"token": server.tokens[name]}, wait_timeout=10)
    return client


async def test_an_event_called_connect_changes_nothing(server: Server) -> None:
    run_id = server.start("greet")
    client = await connected(server, "charlie")
    try:
        token = f"Bearer {server.tokens['alice']}".encode()
        environ = {"asgi.scope": {"headers": [[b"authorization", token]], "client": ["192.0.2.1", 1]}}
        await client.call("connect", environ, timeout=10)
        answer = await client.call("run.subscribe", {"run_id": run_id}, timeout=10)
    finally:
        await client.disconnect()
    assert (answer["ok"], answer["code"]) == (False, "not_found")


async def test_an_event_called_disconnect_ends_the_connection(server: Server) -> None:
    client = await connected(server, "alice")
    await client.emit("disconnect", {})
    await client.wait()
    assert not client.connected
