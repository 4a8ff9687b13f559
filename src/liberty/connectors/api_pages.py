"""Answers that come in pages: how an endpoint says where the next one is, and when there is none."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urljoin

from pydantic import BaseModel, ConfigDict, Field, model_validator

from liberty.errors import LibertyError

MAX_PAGED_BYTES = 64 * 1024 * 1024
"""Of all pages together that one call keeps; `pages()` keeps one page only."""

_LINK = re.compile(r"<([^>]*)>((?:\s*;\s*[\w*-]+(?:\s*=\s*(?:\"[^\"]*\"|[^\s;,\"]*))?)*)")
_NEXT = re.compile(r";\s*rel\s*=\s*\"?(?:[^\";]*\s)?next(?:\s[^\";]*)?\"?(?=\s*(?:;|$))", re.IGNORECASE)


class Pagination(BaseModel):
    """`[connectors.<name>.endpoints.pagination]`: all pages are asked for, one after the other."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["link", "cursor", "page", "offset"] = Field(
        description="link: the Link header says where; cursor: a field of the answer; page, offset: counted here."
    )
    param: str | None = Field(
        default=None, description="Query parameter for cursor, page or offset; default: of that name."
    )
    cursor_field: str | None = Field(
        default=None, description="Dotted path of the next cursor, or next address."
    )
    size_param: str | None = Field(default=None, description="Query parameter for the size of a page.")
    size: int | None = Field(default=None, ge=1, description="Items of a page; a shorter one is the last.")
    first: int | None = Field(
        default=None, ge=0, description="First page number, default 1; first offset, default 0."
    )
    items: str | None = Field(
        default=None,
        description="Dotted path of the list in a page; default: response_field, else the whole body.",
    )
    max_pages: int = Field(default=1_000, ge=1, le=100_000, description="A call with more pages fails.")

    @model_validator(mode="after")
    def _complete(self) -> "Pagination":
        if self.type == "cursor" and self.cursor_field is None:
            raise ValueError("pagination type 'cursor' needs 'cursor_field'")
        if self.type != "cursor" and self.cursor_field is not None:
            raise ValueError("'cursor_field' belongs to pagination type 'cursor'")
        if self.type == "link" and (self.param is not None or self.first is not None):
            raise ValueError("'param' and 'first' do not belong to pagination type 'link'")
        if self.size_param is not None and self.size is None:
            raise ValueError("'size_param' needs 'size'")
        return self

    @property
    def start(self) -> int:
        return self.first if self.first is not None else 1 if self.type == "page" else 0


@dataclass(slots=True)
class Place:
    """Which page is to be asked for: what its query has besides the endpoint's own, or its whole address."""

    pagination: Pagination
    number: int = 0
    url: str | None = None
    query: dict[str, Any] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    @classmethod
    def first(cls, pagination: Pagination) -> "Place":
        query: dict[str, Any] = {}
        if pagination.size_param is not None:
            query[pagination.size_param] = pagination.size
        if pagination.type in ("page", "offset"):
            query[pagination.param or pagination.type] = pagination.start
        return cls(pagination, query=query)

    def move(self, *, url: str, headers: Mapping[str, str], cursor: Any, items: int, what: str) -> bool:
        """Go on to the next page; False when there is none. Raises LibertyError when it goes round in circles."""
        self.number += 1
        found = self._found(url, headers, cursor, items)
        if not found:
            return False
        if self.number >= self.pagination.max_pages:
            raise LibertyError(f"{what} has more than {self.number} pages (pagination.max_pages)")
        token = str(self.url or self.query)
        if token in self._seen:
            raise LibertyError(f"{what} names a page as the next one that it has given already")
        self._seen.add(token)
        return True

    def _found(self, url: str, headers: Mapping[str, str], cursor: Any, items: int) -> bool:
        kind, param = self.pagination.type, self.pagination.param or self.pagination.type
        if kind == "link":
            self.url = next_link(headers.get("link", ""), url)
            return self.url is not None
        if kind == "cursor":
            if cursor is None or cursor == "" or cursor is False:
                return False
            if isinstance(cursor, str) and cursor.lower().startswith(("http://", "https://", "/")):
                self.url = urljoin(url, cursor)
            else:
                self.query = {**self.query, param: cursor}
            return True
        if not items or (self.pagination.size is not None and items < self.pagination.size):
            return False
        step = 1 if kind == "page" else items
        self.query = {**self.query, param: self.query[param] + step}
        return True


def next_link(header: str, url: str) -> str | None:
    """The address that a Link header (RFC 8288) calls the next one."""
    for target, parameters in _LINK.findall(header):
        if _NEXT.search(parameters):
            return str(urljoin(url, target))
    return None
