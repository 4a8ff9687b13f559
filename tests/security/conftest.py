"""The server the attacks are made on."""

from tests.server import own_server, server

__all__ = ["own_server", "server"]
