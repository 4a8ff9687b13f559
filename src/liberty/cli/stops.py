"""How a long-lived process of ours is told to end: once in good order, twice at once."""

import asyncio
import signal


class Stops:
    """The first and the second request to end: SIGTERM or Ctrl-C. To be made on the loop that serves."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.first: asyncio.Future[None] = loop.create_future()
        self.second: asyncio.Future[None] = loop.create_future()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._heard)

    def _heard(self) -> None:
        for stop in (self.first, self.second):
            if not stop.done():
                stop.set_result(None)
                return
