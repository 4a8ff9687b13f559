"""Users and tokens on the database itself."""

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import pytest

from liberty.auth.accounts import Accounts
from liberty.auth.principal import Principal
from liberty.cli import exits
from liberty.clock import SystemClock
from liberty.database import open_database
from liberty.errors import Unauthenticated
from tests.cli.conftest import Cli


def ask(apps: Path, method: str, *arguments: Any, **options: Any) -> Any:
    """What a server on the same data folder would answer."""

    async def run() -> Any:
        database = open_database(f"sqlite+aiosqlite:///{apps / 'data' / 'liberty.db'}")
        accounts = Accounts(database, SystemClock())
        try:
            return await getattr(accounts, method)(*arguments, **options)
        finally:
            accounts.close()
            await database.close()

    return asyncio.run(run())


def test_a_user_gets_a_password_that_is_shown_once(cli: Cli, apps: Path) -> None:
    done = cli("user", "add", "Alice", "--permission", "job:greet", "--permission", "job:*:read")
    assert done.code == exits.OK
    password = done.out.splitlines()[1].split()[1]
    assert ask(apps, "sign_in", "Alice", password).permissions == ("job:greet", "job:*:read")
    assert password not in cli("user", "list").out
    listed = json.loads(cli("user", "list", "--json").out)
    assert [(user["name"], user["superuser"]) for user in listed] == [("Alice", False)]
    assert listed[0]["last_sign_in_at"] is not None


def test_a_given_password_is_not_printed(cli: Cli, apps: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("bobs first password\n"))
    done = cli("user", "add", "Bob", "--superuser", "--password-stdin", "--json")
    assert (done.code, json.loads(done.out)["password"]) == (exits.OK, None)
    assert ask(apps, "sign_in", "Bob", "bobs first password").superuser


def test_a_new_password_ends_the_old_one(cli: Cli, apps: Path) -> None:
    first = json.loads(cli("user", "add", "Charlie", "--json").out)["password"]
    second = json.loads(cli("user", "passwd", "charlie", "--json").out)["password"]
    assert ask(apps, "sign_in", "Charlie", second).name == "Charlie"
    with pytest.raises(Unauthenticated):
        ask(apps, "sign_in", "Charlie", first)


def test_who_changed_what_is_in_the_trail(cli: Cli, apps: Path) -> None:
    cli("user", "add", "Alice")
    entry = ask(apps, "audit_entries")[0]
    assert (entry.action, entry.object, entry.actor_kind) == ("user.create", "user:Alice", "cli")
    assert entry.actor.startswith("cli:")


def test_a_token_acts_as_its_owner_until_it_is_revoked(cli: Cli, apps: Path) -> None:
    cli("user", "add", "Alice", "--superuser")
    done = cli("token", "create", "--name", "ci", "--permission", "job:greet", "--expires", "12h")
    assert done.code == exits.OK, done.err
    value = done.out.splitlines()[1].split()[0]
    principal: Principal | None = ask(apps, "authenticate_bearer", value)
    assert principal is not None
    assert principal.may_job("run", "greet", "_default")
    assert not principal.may_job("run", "broken", "_default")
    listed = cli("token", "list")
    assert "job:greet" in listed.out
    assert value not in listed.out
    assert cli("token", "revoke", "1").code == exits.OK
    assert ask(apps, "authenticate_bearer", value) is None
    assert "revoked" in cli("token", "list", "--user", "alice").out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("user", "add", "Alice"), exits.INVALID, "already a user"),
        (("user", "add", "a b"), exits.INVALID, "a b"),
        (("user", "add", "Bob", "--role", "chief"), exits.NOT_FOUND, "no role 'chief'"),
        (("user", "add", "Bob", "--permission", "job:"), exits.INVALID, "not a permission"),
        (("user", "passwd", "Alise"), exits.NOT_FOUND, "did you mean 'Alice'"),
        (("token", "create", "--name", "x", "--permission", "*"), exits.INVALID, "there is no superuser yet"),
        (("token", "create", "--name", "x", "--permission", "*", "--user", "Bob"), exits.NOT_FOUND, "Bob"),
        (("token", "create", "--name", "x", "--permission", "*", "--expires", "soon"), exits.USAGE, "90d"),
        (("token", "revoke", "7"), exits.NOT_FOUND, "7"),
    ],
)
def test_what_cannot_be_done_says_why(
    words: tuple[str, ...], code: int, said: str, cli: Cli, apps: Path
) -> None:
    cli("user", "add", "Alice")
    done = cli(*words)
    assert (done.code, done.out) == (code, "")
    assert said in done.err


def test_jobs_that_do_not_parse_lock_nobody_out(cli: Cli, apps: Path) -> None:
    (apps / "config" / "jobs.toml").write_text("[[jobs\n")
    assert cli("user", "add", "Alice", "--superuser").code == exits.OK
