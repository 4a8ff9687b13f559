"""The transports by the type of their channel. One sends one message and returns the answer it got."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from liberty.notify.message import Message
from liberty.notify.transports import by_apprise, email, in_app, slack, teams, webhook
from liberty.notify.transports.base import Tools

type Transport = Callable[[Any, Message, Tools], Awaitable[str]]

TRANSPORTS: Mapping[str, Transport] = {
    "apprise": by_apprise.send,
    "email": email.send,
    "in_app": in_app.send,
    "slack": slack.send,
    "teams": teams.send,
    "webhook": webhook.send,
}
