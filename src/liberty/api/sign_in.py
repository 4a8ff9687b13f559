"""Signing in and out: tokens for programs, a cookie for browsers, one-time links."""

from typing import Any

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from liberty.api.access import Guarded, resource
from liberty.api.answers import json_answer
from liberty.api.models import LoginBody, MeModel, RefreshBody, TokensModel
from liberty.api.pages import prefix_of, wants_page
from liberty.api.services import Services
from liberty.auth.credentials import SESSION_COOKIE, check_origin
from liberty.auth.principal import Principal
from liberty.auth.sessions import SESSION_TTL, csrf_token
from liberty.auth.tokens import TokenPair
from liberty.errors import Unauthenticated

router = resource("sign-in", "/auth")


@router.post("/login", responses={200: {"model": TokensModel}})
async def login(request: Request, body: LoginBody) -> Response:
    """Exchange a password for bearer tokens."""
    services = _services(request)
    await services.admin_ready()
    accounts = services.runtime.accounts
    user = await accounts.sign_in(body.username, body.password, address=_address(request))
    return json_answer(_tokens(await accounts.tokens.issue_pair(user)))


@router.post("/refresh", responses={200: {"model": TokensModel}})
async def refresh(request: Request, body: RefreshBody) -> Response:
    """Exchange a refresh token, once, for new tokens."""
    tokens = _services(request).runtime.accounts.tokens
    return json_answer(_tokens(await tokens.refresh(body.refresh_token, address=_address(request))))


@router.post("/session", responses={200: {"model": MeModel}})
async def open_session(request: Request, body: LoginBody) -> Response:
    """Sign a browser in: the answer sets a cookie and tells the token that changes must carry."""
    services = _services(request)
    check_origin(request.headers, services.runtime.settings.app.cors_origins, required=False)
    await services.admin_ready()
    accounts = services.runtime.accounts
    user = await accounts.sign_in(body.username, body.password, address=_address(request))
    value = await accounts.sessions.open(user)
    principal = await accounts.authenticate_session(value)
    if principal is None:
        raise Unauthenticated("the account was changed just now; sign in again")
    response = json_answer(_me(principal, value))
    _set_cookie(request, response, value)
    return response


@router.get("/link", status_code=303, responses={303: {"description": "Signed in; the cookie is set."}})
async def redeem_link(request: Request, token: str) -> Response:
    """Sign a browser in by a one-time link, then lead it to the start page."""
    accounts = _services(request).runtime.accounts
    start = f"{prefix_of(request)}/"
    try:
        user = await accounts.sessions.redeem_link(token, address=_address(request))
    except Unauthenticated:
        if not wants_page(request):
            raise
        return RedirectResponse(f"{start}sign-in?link=refused", status_code=303)
    value = await accounts.sessions.open(user)
    response = RedirectResponse(start, status_code=303)
    _set_cookie(request, response, value)
    return response


@router.post("/logout", status_code=204)
async def logout(request: Request, asked: Guarded) -> Response:
    """End the session or revoke the tokens of this sign-in."""
    header = request.headers.get("authorization", "")
    value = asked.session or header.partition(" ")[2].strip()
    await asked.services.runtime.accounts.sessions.sign_out(value, address=_address(request))
    response = Response(status_code=204)
    if asked.session is not None:
        response.delete_cookie(SESSION_COOKIE, path="/")
    return response


@router.get("/me", responses={200: {"model": MeModel}})
async def me(asked: Guarded) -> Response:
    """Who is asking, and what they may do."""
    return json_answer(_me(asked.caller.principal, asked.session))


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _address(request: Request) -> str | None:
    return request.client.host if request.client else None


def _tokens(pair: TokenPair) -> dict[str, Any]:
    return {
        "access_token": pair.access_token,
        "token_type": "bearer",
        "expires_in": pair.expires_in,
        "refresh_token": pair.refresh_token,
    }


def _me(principal: Principal, session: str | None) -> dict[str, Any]:
    return {
        "name": principal.name,
        "kind": principal.kind,
        "superuser": principal.superuser,
        "permissions": list(principal.permissions),
        "scope": None if principal.scope is None else list(principal.scope),
        "csrf_token": None if session is None else csrf_token(session),
    }


def _set_cookie(request: Request, response: Response, value: str) -> None:
    response.set_cookie(
        SESSION_COOKIE,
        value,
        max_age=int(SESSION_TTL.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
