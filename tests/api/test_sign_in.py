"""Signing in: passwords, tokens, cookies, links, and what a foreign page cannot do with them."""

import httpx
import pytest

from tests.server import Server

ADMIN = {"username": "admin", "password": "for-tests-only"}


@pytest.fixture
def browser(server: Server) -> httpx.Client:
    """A browser that has signed in."""
    client = httpx.Client(base_url=server.url, trust_env=False, timeout=20)
    answer = client.post("/auth/session", json=ADMIN, headers={"Origin": server.url})
    assert answer.status_code == 200, answer.text
    client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
    return client


def test_a_password_gives_tokens_that_can_be_renewed_once_and_revoked(server: Server) -> None:
    anyone = server.client(None)
    tokens = anyone.post("/auth/login", json=ADMIN).json()
    assert set(tokens) == {"access_token", "token_type", "expires_in", "refresh_token"}
    mine = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert anyone.get("/auth/me", headers=mine).json()["superuser"] is True
    renewed = anyone.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert renewed.status_code == 200
    assert anyone.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).status_code == 401
    again = anyone.post("/auth/login", json=ADMIN).json()["access_token"]
    assert anyone.post("/auth/logout", headers={"Authorization": f"Bearer {again}"}).status_code == 204
    assert anyone.get("/auth/me", headers={"Authorization": f"Bearer {again}"}).status_code == 401


def test_a_wrong_password_and_an_unknown_name_look_the_same(server: Server) -> None:
    answers = [
        server.client(None).post("/auth/login", json={"username": name, "password": "wrong"})
        for name in ("admin", "nobody-of-this-name")
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()


def test_guessing_is_slowed_down(own_server: Server) -> None:
    answers = [
        own_server.client(None).post("/auth/login", json={"username": "mallory", "password": str(number)})
        for number in range(7)
    ]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert answers[-1].json()["code"] == "too_many_requests"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(server: Server) -> None:
    answer = httpx.post(f"{server.url}/auth/session", json=ADMIN, trust_env=False)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_a_browser_starts_runs_as_its_user(browser: httpx.Client, server: Server) -> None:
    answer = browser.post("/admin/jobs/greet/run", headers={"Origin": server.url})
    assert answer.status_code == 202
    run = server.ended(answer.json()["run_id"])
    assert (run["trigger"], run["triggered_by"]) == ("manual", "user:admin")


def test_a_change_with_a_cookie_needs_origin_and_token(browser: httpx.Client, server: Server) -> None:
    right = {"Origin": server.url}
    assert browser.post("/admin/reload", headers=right).status_code == 200
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        assert browser.post("/admin/reload", headers=headers).status_code == 403
    assert browser.post("/admin/reload", headers={**right, "X-CSRF-Token": "guessed"}).status_code == 403
    del browser.headers["X-CSRF-Token"]
    assert browser.post("/admin/reload", headers=right).status_code == 403
    assert browser.get("/auth/me").status_code == 200


def test_a_form_of_another_site_is_no_json(browser: httpx.Client, server: Server) -> None:
    for content_type in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ):
        headers = {"Origin": server.url, "Content-Type": content_type}
        answer = browser.post("/admin/jobs/greet/run", content=b'{"params": {}}', headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_a_foreign_page_cannot_sign_a_browser_in(server: Server) -> None:
    answer = httpx.post(
        f"{server.url}/auth/session", json=ADMIN, headers={"Origin": "https://evil.example"}, trust_env=False
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_signing_out_ends_the_session_for_a_copied_cookie_too(browser: httpx.Client, server: Server) -> None:
    copied = dict(browser.cookies)
    assert browser.post("/auth/logout", headers={"Origin": server.url}).status_code == 204
    answer = httpx.get(f"{server.url}/auth/me", cookies=copied, trust_env=False)
    assert answer.status_code == 401


def test_a_link_signs_in_once_and_leads_home(server: Server) -> None:
    runtime = server.runtime
    link = server.lane.submit(runtime.accounts.sessions.create_link("admin")).result(10)
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        answer = client.get("/auth/link", params={"token": link, "next": "https://evil.example"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert client.get("/auth/me").json()["name"] == "admin"
    assert httpx.get(f"{server.url}/auth/link", params={"token": link}, trust_env=False).status_code == 401


def test_the_command_line_of_this_machine_names_its_user(server: Server) -> None:
    token = server.runtime.accounts.authenticator.local_token()
    headers = {"Authorization": f"Bearer {token}", "X-Liberty-Os-User": "alice"}
    answer = server.client(None).post("/admin/jobs/greet/run", headers=headers)
    run = server.ended(answer.json()["run_id"])
    assert (run["trigger"], run["triggered_by"]) == ("cli", "cli:alice")


def test_no_one_else_may_name_a_user(server: Server) -> None:
    answer = server.client("alice").post("/admin/jobs/greet/run", headers={"X-Liberty-Os-User": "root"})
    assert server.ended(answer.json()["run_id"])["triggered_by"] == "user:alice"
