"""Microsoft Teams: a card for a workflow that posts what it is sent."""

from typing import Any

from liberty.notify.config import TeamsChannel
from liberty.notify.message import Message
from liberty.notify.transports.base import Tools, answer_of


async def send(channel: TeamsChannel, message: Message, tools: Tools) -> str:
    """Post one card. Raises NotDelivered."""
    blocks: list[dict[str, Any]] = [
        {"type": "TextBlock", "text": message.subject, "weight": "Bolder", "wrap": True},
        {"type": "TextBlock", "text": message.text, "wrap": True},
    ]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
    }
    url = message.fields["url"]
    if url:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open the run", "url": url}]
    body = {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }
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
