"""A request of our own: all facts as JSON, or a text of the operator's, signed when there is a secret."""

import hashlib
import hmac
import json
import re
import time
from typing import Any

from liberty.notify.config import WebhookChannel
from liberty.notify.message import Message
from liberty.notify.transports.base import Tools, answer_of

_NAME = re.compile(r"\$\{([a-z_]+)\}")


async def send(channel: WebhookChannel, message: Message, tools: Tools) -> str:
    """Send the request. Raises NotDelivered."""
    body = _body(channel, message).encode()
    headers = {"Content-Type": channel.content_type, "Idempotency-Key": message.key, **channel.headers}
    if channel.secret is not None:
        timestamp = str(int(time.time()))
        signed = hmac.new(channel.secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
        headers["X-Nomaflow-Timestamp"] = timestamp
        headers["X-Nomaflow-Signature"] = f"sha256={signed.hexdigest()}"
    return answer_of(
        await tools.http.request(
            channel.method,
            channel.url,
            origin_trusted=True,
            headers=headers,
            body=body,
            timeout=channel.timeout_seconds,
        )
    )


def _body(channel: WebhookChannel, message: Message) -> str:
    fields = message.fields
    if channel.body is None:
        return json.dumps(fields, ensure_ascii=False)
    as_json = "json" in channel.content_type

    def value(match: re.Match[str]) -> str:
        found: Any = fields.get(match[1], "")
        if isinstance(found, str) or found is None:
            text = found or ""
            return json.dumps(text, ensure_ascii=False)[1:-1] if as_json else text
        return json.dumps(found, ensure_ascii=False)

    return _NAME.sub(value, channel.body)
