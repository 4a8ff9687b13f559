"""Every service that apprise speaks to. The library is an extra, and imported only when a channel needs it."""

import asyncio

from liberty.notify.config import AppriseChannel
from liberty.notify.message import Message
from liberty.notify.transports.base import NotDelivered, Tools


async def send(channel: AppriseChannel, message: Message, _: Tools) -> str:
    """Hand it to apprise, which says only whether it worked. Raises NotDelivered."""
    return await asyncio.to_thread(_send, channel.url, message.subject, message.text)


def _send(url: str, title: str, body: str) -> str:
    try:
        import apprise
    except ImportError as error:
        raise NotDelivered(
            "this type needs another library: pip install 'nomaflow[apprise]'", permanent=True
        ) from error
    service = apprise.Apprise()
    if not service.add(url):
        raise NotDelivered("apprise does not understand the channel's url", permanent=True)
    if not service.notify(body=body, title=title):
        raise NotDelivered("apprise could not deliver it; its log says why")
    return "accepted"
