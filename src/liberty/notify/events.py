"""What the notifier tells the rest of the process."""

from dataclasses import dataclass

from liberty.notify.message import Item


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something for the notification centre. `roles`: only holders of `alerts:<role>` see it, none: every reader."""

    item: Item
    roles: tuple[str, ...]
    key: str
