"""The servers of these tests."""

from tests.server import own_server, server

__all__ = ["own_server", "server"]
