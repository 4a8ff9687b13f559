"""The notification centre: what is delivered here is pushed to the pages that are open, and kept for the others."""

from liberty.notify.config import InAppChannel
from liberty.notify.events import Noticed
from liberty.notify.message import Message
from liberty.notify.transports.base import Tools


async def send(channel: InAppChannel, message: Message, tools: Tools) -> str:
    """Tell the open pages of this process."""
    for item in message.items:
        tools.bus.publish(Noticed(item, channel.roles, message.key))
    return "shown"
