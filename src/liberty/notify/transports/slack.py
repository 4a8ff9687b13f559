"""Slack's incoming webhooks."""

from liberty.notify.config import SlackChannel
from liberty.notify.message import Message
from liberty.notify.transports.base import Tools, answer_of


async def send(channel: SlackChannel, message: Message, tools: Tools) -> str:
    """Post one text. Raises NotDelivered."""
    text = message.one_line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    body = {"text": text, "username": channel.username, "icon_emoji": channel.icon}
    place = message.address or channel.channel
    if place is not None:
        body["channel"] = place
    return answer_of(
        await tools.http.request(
            "POST",
            channel.url,
            origin_trusted=True,
            headers={"Idempotency-Key": message.key},
            json_body=body,
            timeout=channel.timeout_seconds,
        )
    )
