"""Signing in."""

from typing import Literal

from pydantic import Field

from liberty.api.models.base import Answer, Body


class LoginBody(Body):
    """A user name and a password."""

    username: str = Field(max_length=200)
    password: str = Field(max_length=1024)


class RefreshBody(Body):
    """The refresh token of an earlier answer; it can be used once."""

    refresh_token: str = Field(max_length=1024)


class TokensModel(Answer):
    """Bearer tokens; `expires_in` is seconds."""

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int
    refresh_token: str


class MeModel(Answer):
    """Who is asking. `csrf_token` is there for browser sessions only."""

    name: str
    kind: Literal["session", "token", "cli"]
    superuser: bool
    permissions: list[str]
    scope: list[str] | None
    csrf_token: str | None
