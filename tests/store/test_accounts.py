"""Accounts on both databases: people, roles, signing in and out, tokens, links, and the trail they leave."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.schema import CreateIndex, CreateTable

from liberty.auth import audit
from liberty.auth.accounts import Accounts
from liberty.auth.authenticator import REMEMBERED_SECONDS
from liberty.auth.passwords import Passwords
from liberty.auth.principal import Principal
from liberty.auth.sessions import csrf_matches, csrf_token
from liberty.auth.tables import metadata, tokens
from liberty.auth.tables import users as users_table
from liberty.database import Database, Row, Tx, open_database
from liberty.database.base import Duplicate
from liberty.database.statements import sqlalchemy_dialect
from liberty.errors import Conflict, Invalid, LibertyError, NotFound, TooMany, Unauthenticated

PASSWORD = "a walk in the park"


class SetClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.passed = timedelta(0)

    def now(self) -> datetime:
        return datetime(2026, 3, 1, 12, 0, tzinfo=UTC) + self.passed

    def monotonic(self) -> float:
        return self.passed.total_seconds()

    def forward(self, **units: float) -> None:
        self.passed += timedelta(**units)


async def create_tables(tx: Tx, dialect: Any) -> None:
    for table in metadata.sorted_tables:
        await tx.script(str(CreateTable(table).compile(dialect=dialect)))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            await tx.script(str(CreateIndex(index).compile(dialect=dialect)))


class HeldReads:
    """A database whose answers arrive late: read at once, handed over when `release` is set."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.dialect = database.dialect
        self.answered = asyncio.Event()
        self.release = asyncio.Event()

    async def read(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        answer = await self._database.read(operation, *args, **kwargs)
        self.answered.set()
        await self.release.wait()
        return answer

    async def write(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        return await self._database.write(operation, *args, **kwargs)

    async def close(self) -> None:
        await self._database.close()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = open_database(database_url)
    await opened.write(create_tables, sqlalchemy_dialect(opened.dialect))
    yield opened
    await opened.close()


def cheap() -> Passwords:
    return Passwords(time_cost=1, memory_kib=8, parallelism=1)


@pytest.fixture
def accounts(database: Database, clock: SetClock) -> Accounts:
    return Accounts(database, clock, passwords=cheap())


@pytest.fixture
async def alice(accounts: Accounts) -> str:
    await accounts.create_user("Alice", PASSWORD, permissions=["job:nightly"])
    return "Alice"


async def every(database: Database, statement: Any) -> list[Row]:
    async def rows(tx: Tx) -> list[Row]:
        return await tx.all(statement)

    return await database.read(rows)


async def actions(accounts: Accounts) -> list[str]:
    return [entry.action for entry in reversed(await accounts.audit_entries())]


# People


async def test_a_new_user_reads_back(accounts: Accounts, clock: SetClock) -> None:
    await accounts.save_role("operators", ["job:*", "!job:secret"], description="On call")
    made = await accounts.create_user("Bob", PASSWORD, roles=["Operators"], permissions=["settings:jobs"])
    assert made.password is None
    assert await accounts.get_user("bob") == made.user
    assert made.user.name == "Bob"
    assert made.user.roles == ("operators",)
    assert made.user.permissions == ("settings:jobs",)
    assert made.user.created_at == clock.now()
    assert made.user.active is True
    assert made.user.superuser is False
    assert made.user.last_sign_in_at is None


async def test_a_generated_password_is_returned_once_and_works(accounts: Accounts) -> None:
    made = await accounts.create_user("bob")
    assert made.password is not None
    assert len(made.password) >= 20
    assert (await accounts.sign_in("bob", made.password)).name == "bob"


async def test_names_are_unique_without_case(accounts: Accounts, alice: str) -> None:
    with pytest.raises(Duplicate, match="already a user 'ALICE'"):
        await accounts.create_user("ALICE", PASSWORD)
    results = await asyncio.gather(
        *(accounts.create_user(name, PASSWORD) for name in ("bob", "BOB", "Bob", "bOB")),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Duplicate) for result in results) == 3
    assert len(await accounts.list_users()) == 2


@pytest.mark.parametrize(
    "name", ["", "a b", "-a", "a:b", "a/b", "é", "a\x00", "x" * 200, "cron", "API", "cli"]
)
async def test_unusable_names_are_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(Invalid):
        await accounts.create_user(name, PASSWORD)
    with pytest.raises(NotFound):
        await accounts.get_user(name)


async def test_nothing_is_kept_of_a_user_whose_role_is_unknown(accounts: Accounts) -> None:
    await accounts.save_role("operators", ["job:*"])
    with pytest.raises(NotFound, match="did you mean 'operators'"):
        await accounts.create_user("bob", PASSWORD, roles=["operator"])
    assert await accounts.list_users() == []


async def test_a_missing_user_is_named_with_the_nearest(accounts: Accounts, alice: str) -> None:
    with pytest.raises(NotFound, match="did you mean 'Alice'"):
        await accounts.get_user("alise")


async def test_users_are_listed_by_name_with_their_roles(accounts: Accounts, alice: str) -> None:
    await accounts.save_role("b-role", ["job:b"])
    await accounts.save_role("a-role", ["job:a"])
    await accounts.create_user("charlie", PASSWORD)
    await accounts.create_user("bob", PASSWORD, roles=["b-role", "a-role"])
    listed = [(user.name, user.roles) for user in await accounts.list_users()]
    assert listed == [("Alice", ()), ("bob", ("a-role", "b-role")), ("charlie", ())]


# The first administrator


async def test_the_first_administrator_is_made_once(accounts: Accounts) -> None:
    first = await accounts.ensure_admin()
    assert first.created
    assert first.password is not None
    again = await accounts.ensure_admin("something else")
    assert (again.created, again.password) == (False, None)
    admin = await accounts.sign_in("admin", first.password)
    assert admin.superuser


async def test_the_first_administrator_may_have_a_given_password(accounts: Accounts) -> None:
    first = await accounts.ensure_admin(PASSWORD)
    assert (first.created, first.password) == (True, None)
    assert (await accounts.sign_in("admin", PASSWORD)).superuser


async def test_two_replicas_starting_at_once_make_one_administrator(
    database: Database, clock: SetClock
) -> None:
    replicas = [Accounts(database, clock, passwords=cheap()) for _ in range(3)]
    made = await asyncio.gather(*(replica.ensure_admin() for replica in replicas))
    assert sorted(one.created for one in made) == [False, False, True]
    assert len(await replicas[0].list_users()) == 1


async def test_no_administrator_appears_beside_others(accounts: Accounts, alice: str) -> None:
    assert not (await accounts.ensure_admin()).created
    with pytest.raises(NotFound):
        await accounts.get_user("admin")


async def test_the_last_active_superuser_stays(accounts: Accounts) -> None:
    await accounts.ensure_admin(PASSWORD)
    await accounts.create_user("bob", PASSWORD, superuser=True)
    await accounts.set_active("bob", active=False)
    with pytest.raises(Conflict, match="last active superuser"):
        await accounts.set_active("admin", active=False)
    with pytest.raises(Conflict, match="last active superuser"):
        await accounts.set_superuser("admin", superuser=False)
    await accounts.set_superuser("bob", superuser=False)
    assert [user.superuser for user in await accounts.list_users()] == [True, False]


async def test_superusers_who_demote_each_other_at_once_leave_one(accounts: Accounts) -> None:
    names = ("one", "two", "three")
    for name in names:
        await accounts.create_user(name, PASSWORD, superuser=True)
    for _ in range(5):
        results = await asyncio.gather(
            *(accounts.set_superuser(name, superuser=False) for name in names), return_exceptions=True
        )
        assert sorted(type(result).__name__ for result in results) == ["Conflict", "NoneType", "NoneType"]
        for name in names:
            await accounts.set_superuser(name, superuser=True)


# Signing in


async def test_wrong_name_wrong_password_and_disabled_get_one_answer(accounts: Accounts, alice: str) -> None:
    await accounts.create_user("bob", PASSWORD)
    await accounts.set_active("bob", active=False)
    answers = set()
    for name, password in (
        *(("alice", "wrong"), ("nobody", PASSWORD), ("bob", PASSWORD), ("bob", "wrong")),
        *(("a\x00", PASSWORD), ("", ""), ("alice", "\ud800")),
    ):
        with pytest.raises(Unauthenticated) as refused:
            await accounts.sign_in(name, password)
        answers.add((refused.value.message, str(refused.value.details)))
    assert answers == {("wrong user name or password", "{}")}


async def test_the_right_password_of_a_disabled_account_counts_as_a_failure(
    accounts: Accounts, alice: str
) -> None:
    await accounts.set_active("alice", active=False)
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await accounts.sign_in("alice", PASSWORD)
    with pytest.raises(TooMany):
        await accounts.sign_in("alice", PASSWORD)


async def test_a_password_that_changes_during_the_check_is_wrong(
    accounts: Accounts, database: Database, clock: SetClock, alice: str
) -> None:
    held = HeldReads(database)
    late = Accounts(held, clock, passwords=cheap())
    signing_in = asyncio.ensure_future(late.sign_in("alice", PASSWORD))
    await asyncio.wait_for(held.answered.wait(), 10)
    await accounts.set_password("alice", "another one")
    held.release.set()
    with pytest.raises(Unauthenticated):
        await signing_in


async def test_a_user_from_elsewhere_has_no_password_here(accounts: Accounts) -> None:
    made = await accounts.create_user("bob", provider="oidc")
    assert made.password is None
    with pytest.raises(Unauthenticated):
        await accounts.sign_in("bob", "")


async def test_case_and_blanks_around_the_name_do_not_matter(accounts: Accounts, alice: str) -> None:
    assert (await accounts.sign_in(" aLICE ", PASSWORD)).name == "Alice"


@pytest.mark.parametrize("name", ["alice", "nobody"])
async def test_guessing_is_stopped_after_five_also_in_parallel(
    accounts: Accounts, clock: SetClock, alice: str, name: str
) -> None:
    results = await asyncio.gather(
        *(accounts.sign_in(name, f"guess {number}") for number in range(50)), return_exceptions=True
    )
    assert sum(isinstance(result, Unauthenticated) for result in results) == 5
    refused = [result for result in results if isinstance(result, TooMany)]
    assert len(refused) == 45
    assert refused[0].details["retry_after_seconds"] == 60
    with pytest.raises(TooMany):
        await accounts.sign_in(name, PASSWORD)
    clock.forward(seconds=60)
    with pytest.raises(Unauthenticated):
        await accounts.sign_in(name, "one more guess")


async def test_many_right_sign_ins_at_once_are_no_guessing(accounts: Accounts, alice: str) -> None:
    signed_in = await asyncio.gather(*(accounts.sign_in("alice", PASSWORD) for _ in range(20)))
    assert {user.name for user in signed_in} == {"Alice"}


async def test_an_old_hash_is_renewed_at_sign_in(
    accounts: Accounts, database: Database, clock: SetClock, alice: str
) -> None:
    dearer = Accounts(database, clock, passwords=Passwords(time_cost=2, memory_kib=8, parallelism=1))
    hashes = select(users_table.c.password_hash)
    [(before,)] = await every(database, hashes)
    user = await dearer.sign_in("alice", PASSWORD)
    [(after,)] = await every(database, hashes)
    assert "t=1," in before
    assert "t=2," in after
    assert (await accounts.get_user("alice")).version == user.version
    assert (await dearer.sign_in("alice", PASSWORD)).name == "Alice"


async def test_passwords_and_tokens_are_not_in_the_database(
    accounts: Accounts, database: Database, alice: str
) -> None:
    user = await accounts.sign_in("alice", PASSWORD)
    pair = await accounts.tokens.issue_pair(user)
    _, api = await accounts.tokens.create_api_token("alice", "ci", permissions=["job:*"], actor="system")
    secrets = [PASSWORD, pair.access_token, pair.refresh_token, api]
    secrets += [await accounts.sessions.open(user), await accounts.sessions.create_link("alice")]
    dump = "".join([repr(await every(database, select(table))) for table in metadata.sorted_tables])
    assert [secret for secret in secrets if secret in dump or secret[14:] in dump] == []


# Bearer tokens


async def test_an_access_token_speaks_for_its_user_for_fifteen_minutes(
    accounts: Accounts, clock: SetClock, alice: str
) -> None:
    await accounts.save_role("readers", ["job:*:read"])
    await accounts.set_roles("alice", ["readers"])
    user = await accounts.sign_in("alice", PASSWORD)
    pair = await accounts.tokens.issue_pair(user)
    assert pair.expires_in == 900
    principal = await accounts.authenticate_bearer(pair.access_token)
    assert principal is not None
    assert (principal.name, principal.kind, principal.user_id) == ("Alice", "token", user.id)
    assert principal.permissions == ("job:nightly", "job:*:read")
    assert principal.scope is None
    clock.forward(minutes=14, seconds=59)
    assert await accounts.authenticate_bearer(pair.access_token) is not None
    clock.forward(seconds=1)
    assert await accounts.authenticate_bearer(pair.access_token) is None


async def test_a_token_is_good_for_its_own_purpose_only(accounts: Accounts, alice: str) -> None:
    user = await accounts.sign_in("alice", PASSWORD)
    pair = await accounts.tokens.issue_pair(user)
    session = await accounts.sessions.open(user)
    link = await accounts.sessions.create_link("alice")
    _, api = await accounts.tokens.create_api_token("alice", "ci", permissions=["job:*"], actor="system")
    everything = [pair.access_token, pair.refresh_token, session, link, api]
    bearers = [bool(await accounts.authenticate_bearer(value)) for value in everything]
    sessions = [bool(await accounts.authenticate_session(value)) for value in everything]
    assert bearers == [True, False, False, False, True]
    assert sessions == [False, False, True, False, False]
    for value in (pair.access_token, session, link, api):
        with pytest.raises(Unauthenticated):
            await accounts.tokens.refresh(value)
    for value in (pair.access_token, pair.refresh_token, session, api):
        with pytest.raises(Unauthenticated):
            await accounts.sessions.redeem_link(value)


@pytest.mark.parametrize(
    "odd", ["", "x", "nft_", "nft_é", "nft_\ud800", "nft_" + "a" * 43, "nfc_x", "nfa_\x00"]
)
async def test_odd_tokens_are_simply_wrong(accounts: Accounts, odd: str) -> None:
    assert await accounts.authenticate_bearer(odd) is None
    assert await accounts.authenticate_session(odd) is None
    assert await accounts.sessions.sign_out(odd) is False
    with pytest.raises(Unauthenticated):
        await accounts.tokens.refresh(odd)
    with pytest.raises(Unauthenticated):
        await accounts.sessions.redeem_link(odd)


async def test_a_refresh_token_is_spent_by_use_and_a_copy_ends_the_sign_in(
    accounts: Accounts, alice: str
) -> None:
    user = await accounts.sign_in("alice", PASSWORD)
    first = await accounts.tokens.issue_pair(user)
    elsewhere = await accounts.tokens.issue_pair(user)
    second = await accounts.tokens.refresh(first.refresh_token)
    assert second.refresh_token != first.refresh_token
    assert await accounts.authenticate_bearer(second.access_token) is not None
    with pytest.raises(Unauthenticated):
        await accounts.tokens.refresh(first.refresh_token, address="192.0.2.1")
    assert await accounts.authenticate_bearer(first.access_token) is None
    assert await accounts.authenticate_bearer(second.access_token) is None
    with pytest.raises(Unauthenticated):
        await accounts.tokens.refresh(second.refresh_token)
    assert await accounts.authenticate_bearer(elsewhere.access_token) is not None
    [reused] = await accounts.audit_entries(action="session.reused")
    assert (reused.object, reused.address) == ("user:Alice", "192.0.2.1")


async def test_of_parallel_refreshes_at_most_one_wins(accounts: Accounts, alice: str) -> None:
    pair = await accounts.tokens.issue_pair(await accounts.sign_in("alice", PASSWORD))
    results = await asyncio.gather(
        *(accounts.tokens.refresh(pair.refresh_token) for _ in range(8)), return_exceptions=True
    )
    won = [result for result in results if not isinstance(result, BaseException)]
    assert len(won) == 1
    assert all(isinstance(result, Unauthenticated) for result in results if result not in won)


async def test_a_refresh_token_ends_after_seven_days(accounts: Accounts, clock: SetClock, alice: str) -> None:
    pair = await accounts.tokens.issue_pair(await accounts.sign_in("alice", PASSWORD))
    clock.forward(days=7)
    with pytest.raises(Unauthenticated):
        await accounts.tokens.refresh(pair.refresh_token)


async def test_signing_out_ends_all_of_that_sign_in_and_nothing_else(accounts: Accounts, alice: str) -> None:
    user = await accounts.sign_in("alice", PASSWORD)
    pair, other = await accounts.tokens.issue_pair(user), await accounts.tokens.issue_pair(user)
    assert await accounts.authenticate_bearer(pair.access_token) is not None
    assert await accounts.sessions.sign_out(pair.access_token)
    assert await accounts.authenticate_bearer(pair.access_token) is None
    with pytest.raises(Unauthenticated):
        await accounts.tokens.refresh(pair.refresh_token)
    assert await accounts.authenticate_bearer(other.access_token) is not None
    assert not await accounts.sessions.sign_out(pair.access_token)


async def test_a_new_password_ends_sessions_and_pairs_but_not_api_tokens(
    accounts: Accounts, alice: str
) -> None:
    user = await accounts.sign_in("alice", PASSWORD)
    pair = await accounts.tokens.issue_pair(user)
    session = await accounts.sessions.open(user)
    link = await accounts.sessions.create_link("alice")
    _, api = await accounts.tokens.create_api_token("alice", "ci", permissions=["job:*"], actor="system")
    assert await accounts.authenticate_session(session) is not None
    generated = await accounts.set_password("alice")
    assert generated is not None
    assert await accounts.authenticate_bearer(pair.access_token) is None
    assert await accounts.authenticate_session(session) is None
    with pytest.raises(Unauthenticated):
        await accounts.tokens.refresh(pair.refresh_token)
    with pytest.raises(Unauthenticated):
        await accounts.sessions.redeem_link(link)
    assert await accounts.authenticate_bearer(api) is not None
    with pytest.raises(Unauthenticated):
        await accounts.sign_in("alice", PASSWORD)
    # Signed in before the change, but given its session after it.
    assert await accounts.authenticate_session(await accounts.sessions.open(user)) is None
    assert (await accounts.sign_in("alice", generated)).version == user.version + 1


async def test_a_disabled_user_is_out_at_once_api_tokens_included(accounts: Accounts, alice: str) -> None:
    user = await accounts.sign_in("alice", PASSWORD)
    session = await accounts.sessions.open(user)
    _, api = await accounts.tokens.create_api_token("alice", "ci", permissions=["job:*"], actor="system")
    assert await accounts.authenticate_session(session) is not None
    assert await accounts.authenticate_bearer(api) is not None
    await accounts.set_active("alice", active=False)
    assert await accounts.authenticate_session(session) is None
    assert await accounts.authenticate_bearer(api) is None
    await accounts.set_active("alice", active=True)
    assert await accounts.authenticate_session(session) is None
    assert await accounts.authenticate_bearer(api) is not None


# API tokens


async def test_an_api_token_is_narrowed_expires_and_notes_its_use(
    accounts: Accounts, clock: SetClock, alice: str
) -> None:
    token, value = await accounts.tokens.create_api_token(
        "alice",
        "ci",
        permissions=["job:*"],
        expires_in=timedelta(days=1),
        actor=Principal("bob", kind="session"),
    )
    assert value.startswith(token.prefix)
    assert len(token.prefix) == 10
    assert (token.owner, token.created_by, token.last_used_at) == ("Alice", "bob", None)
    principal = await accounts.authenticate_bearer(value)
    assert principal is not None
    assert principal.may_job("run", "nightly", "x")
    assert not principal.may_job("abort", "nightly", "x")
    assert not principal.may_job("run", "other", "x")
    assert [one.last_used_at for one in await accounts.tokens.list_api_tokens("ALICE")] == [clock.now()]
    clock.forward(hours=23, minutes=59, seconds=58)
    assert await accounts.authenticate_bearer(value) is not None
    clock.forward(seconds=2)
    assert await accounts.authenticate_bearer(value) is None


async def test_a_revoked_api_token_is_dead_at_once(accounts: Accounts, alice: str) -> None:
    await accounts.create_user("bob", PASSWORD)
    token, value = await accounts.tokens.create_api_token(
        "alice", "ci", permissions=["job:*"], actor="system"
    )
    assert await accounts.authenticate_bearer(value) is not None
    with pytest.raises(NotFound):
        await accounts.tokens.revoke_api_token(token.id, owner="bob", actor="system")
    with pytest.raises(NotFound):
        await accounts.tokens.revoke_api_token(token.id + 1000, actor="system")
    assert await accounts.authenticate_bearer(value) is not None
    for _ in range(2):
        await accounts.tokens.revoke_api_token(token.id, owner="alice", actor="system")
    assert await accounts.authenticate_bearer(value) is None
    assert len(await accounts.audit_entries(action="api_token.revoke")) == 1
    assert [one.revoked_at is None for one in await accounts.tokens.list_api_tokens()] == [False]


@pytest.mark.parametrize(
    "wrong",
    [
        {"permissions": []},
        {"permissions": ["job:a b"]},
        {"permissions": ["job:*"], "expires_in": timedelta(0)},
        {"permissions": ["job:*"], "expires_in": timedelta(days=5000)},
    ],
)
async def test_a_useless_api_token_is_not_made(accounts: Accounts, alice: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        await accounts.tokens.create_api_token("alice", "ci", actor="system", **wrong)
    assert await accounts.tokens.list_api_tokens() == []


async def test_the_command_line_of_this_machine_has_a_token_of_its_own(accounts: Accounts) -> None:
    value = accounts.authenticator.local_token()
    principal = await accounts.authenticate_bearer(value)
    assert principal is not None
    assert (principal.kind, principal.superuser) == ("cli", True)
    assert await accounts.authenticate_bearer(value + "x") is None
    assert await accounts.authenticate_session(value) is None


# Sessions and links


async def test_a_session_lives_by_use(accounts: Accounts, clock: SetClock, alice: str) -> None:
    user = await accounts.sign_in("alice", PASSWORD)
    session = await accounts.sessions.open(user)
    assert session != await accounts.sessions.open(user)
    for _ in range(13):
        principal = await accounts.authenticate_session(session)
        assert principal is not None
        assert principal.kind == "session"
        clock.forward(hours=11, minutes=59)
    assert await accounts.authenticate_session(session) is not None
    clock.forward(hours=12)
    assert await accounts.authenticate_session(session) is None


async def test_a_session_ends_after_seven_days_however_busy(
    accounts: Accounts, clock: SetClock, alice: str
) -> None:
    session = await accounts.sessions.open(await accounts.sign_in("alice", PASSWORD))
    for _ in range(15):
        assert await accounts.authenticate_session(session) is not None
        clock.forward(hours=11)
    assert await accounts.authenticate_session(session) is not None
    clock.forward(hours=3)
    assert await accounts.authenticate_session(session) is None


async def test_signing_out_ends_the_session(accounts: Accounts, alice: str) -> None:
    user = await accounts.sign_in("alice", PASSWORD)
    mine, other = await accounts.sessions.open(user), await accounts.sessions.open(user)
    assert await accounts.authenticate_session(mine) is not None
    assert await accounts.sessions.sign_out(mine)
    assert await accounts.authenticate_session(mine) is None
    assert await accounts.authenticate_session(other) is not None


async def test_the_page_token_belongs_to_one_session() -> None:
    assert csrf_matches("nfs_one", csrf_token("nfs_one"))
    assert not csrf_matches("nfs_two", csrf_token("nfs_one"))
    assert not csrf_matches("nfs_one", "")
    assert not csrf_matches("nfs_one", "é")


async def test_a_link_signs_in_once_within_ten_minutes(
    accounts: Accounts, clock: SetClock, alice: str
) -> None:
    link = await accounts.sessions.create_link("alice")
    results = await asyncio.gather(
        *(accounts.sessions.redeem_link(link) for _ in range(6)), return_exceptions=True
    )
    users = [result for result in results if not isinstance(result, BaseException)]
    assert [user.name for user in users] == ["Alice"]
    late = await accounts.sessions.create_link("alice")
    clock.forward(minutes=10)
    with pytest.raises(Unauthenticated, match="sign-in link"):
        await accounts.sessions.redeem_link(late)
    with pytest.raises(NotFound):
        await accounts.sessions.create_link("nobody")


# What is remembered


async def test_a_change_of_rights_is_seen_at_once(accounts: Accounts, alice: str) -> None:
    await accounts.save_role("readers", ["job:a:read"])
    await accounts.set_roles("alice", ["readers"])
    session = await accounts.sessions.open(await accounts.sign_in("alice", PASSWORD))

    async def readable(name: str) -> bool:
        principal = await accounts.authenticate_session(session)
        return principal is not None and principal.may_job("read", name, "x")

    assert (await readable("a"), await readable("b")) == (True, False)
    await accounts.save_role("readers", ["job:b:read"])
    assert (await readable("a"), await readable("b")) == (False, True)
    await accounts.set_permissions("alice", ["!job:b"])
    assert not await readable("b")
    await accounts.set_permissions("alice", [])
    assert await readable("b")
    await accounts.delete_role("readers")
    assert not await readable("b")
    await accounts.set_superuser("alice", superuser=True)
    assert await readable("anything")


async def test_another_replicas_revocation_is_seen_within_seconds(
    accounts: Accounts, database: Database, clock: SetClock, alice: str
) -> None:
    replica = Accounts(database, clock, passwords=cheap())
    session = await accounts.sessions.open(await accounts.sign_in("alice", PASSWORD))
    assert await replica.authenticate_session(session) is not None
    await accounts.set_active("alice", active=False)
    clock.forward(seconds=REMEMBERED_SECONDS)
    assert await replica.authenticate_session(session) is None


async def test_a_remembered_caller_costs_next_to_nothing(accounts: Accounts, alice: str) -> None:
    session = await accounts.sessions.open(await accounts.sign_in("alice", PASSWORD))
    first = await accounts.authenticate_session(session)

    async def fastest() -> float:
        best = 1.0
        for _ in range(200):
            begun = time.perf_counter()
            assert await accounts.authenticate_session(session) is first
            best = min(best, time.perf_counter() - begun)
        return best

    assert await fastest() < 20e-6


async def test_an_answer_read_before_a_change_is_not_remembered(
    accounts: Accounts, database: Database, clock: SetClock, alice: str
) -> None:
    session = await accounts.sessions.open(await accounts.sign_in("alice", PASSWORD))
    held = HeldReads(database)
    late = Accounts(held, clock, passwords=cheap())
    asking = asyncio.ensure_future(late.authenticate_session(session))
    await asyncio.wait_for(held.answered.wait(), 10)
    await late.set_permissions("alice", ["job:other"])
    held.release.set()
    await asking
    principal = await late.authenticate_session(session)
    assert principal is not None
    assert principal.permissions == ("job:other",)


async def test_what_nobody_can_use_is_dropped(
    accounts: Accounts, database: Database, clock: SetClock, alice: str
) -> None:
    user = await accounts.sign_in("alice", PASSWORD)
    await accounts.tokens.issue_pair(user)
    await accounts.sessions.create_link("alice")
    await accounts.tokens.create_api_token("alice", "ci", permissions=["job:*"], actor="system")
    clock.forward(hours=1)
    assert await accounts.tokens.drop_expired() == 2
    kinds = await every(database, select(tokens.c.kind).order_by(tokens.c.kind))
    assert kinds == [("api",), ("refresh",)]


# The trail


async def test_every_change_leaves_a_row(accounts: Accounts, clock: SetClock) -> None:
    admin = Principal("admin", superuser=True, kind="session")
    by: dict[str, Any] = {"actor": admin, "address": "192.0.2.7"}
    await accounts.save_role("operators", ["job:*"], **by)
    await accounts.create_user("bob", PASSWORD, roles=["operators"], **by)
    await accounts.set_permissions("bob", ["job:a"], **by)
    await accounts.set_roles("bob", [], **by)
    await accounts.set_superuser("bob", superuser=False, **by)
    await accounts.set_password("bob", PASSWORD, **by)
    with pytest.raises(Unauthenticated):
        await accounts.sign_in("bob", "wrong", address="192.0.2.8")
    with pytest.raises(Unauthenticated):
        await accounts.sign_in("a secret typed as a name", "wrong", address="192.0.2.8")
    await accounts.sign_in("bob", PASSWORD, address="192.0.2.8")
    await accounts.set_active("bob", active=False, **by)
    await accounts.delete_role("operators", **by)
    assert await actions(accounts) == [
        *("role.save", "user.create", "user.permissions", "user.roles", "user.superuser", "user.password"),
        *("session.refused", "session.refused", "session.sign_in", "user.active", "role.delete"),
    ]
    trail = await accounts.audit_entries()
    assert {entry.address for entry in trail} == {"192.0.2.7", "192.0.2.8"}
    assert PASSWORD not in repr(trail)
    assert "a secret typed as a name" not in repr(trail)
    [created] = await accounts.audit_entries(action="user.create")
    assert (created.actor, created.actor_kind, created.object) == ("admin", "session", "user:bob")
    assert created.at == clock.now()
    assert created.details == {"superuser": False, "roles": ["operators"], "permissions": []}


async def test_what_did_not_happen_leaves_no_row(accounts: Accounts, alice: str) -> None:
    before = await actions(accounts)
    with pytest.raises(NotFound):
        await accounts.set_roles("alice", ["no-such-role"])
    with pytest.raises(NotFound):
        await accounts.delete_role("no-such-role")
    with pytest.raises(Duplicate):
        await accounts.create_user("alice", PASSWORD)
    assert await actions(accounts) == before


async def test_a_row_is_part_of_the_operation_it_tells_of(
    accounts: Accounts, database: Database, clock: SetClock
) -> None:
    async def act(tx: Tx, *, fail: bool) -> None:
        await audit.record(
            tx,
            at=clock.now(),
            actor="system",
            action="job.run",
            object="job:nightly",
            details={"params": {"password": "hunter2", "period": "2026-02"}},
        )
        if fail:
            raise Conflict("changed its mind")

    with pytest.raises(Conflict):
        await database.write(act, fail=True)
    assert await accounts.audit_entries() == []
    await database.write(act, fail=False)
    [entry] = await accounts.audit_entries()
    assert (entry.actor, entry.actor_kind, entry.address) == ("system", "system", None)
    assert entry.details["params"]["period"] == "2026-02"
    assert "hunter2" not in repr(entry)


async def test_the_trail_is_read_page_by_page(accounts: Accounts) -> None:
    for number in range(7):
        await accounts.save_role(f"role-{number}", ["job:*"], actor="alice" if number % 2 else "bob")
    seen: list[str] = []
    before: int | None = None
    while page := await accounts.audit_entries(before=before, limit=3):
        seen += [entry.object for entry in page]
        before = page[-1].id
    assert seen == [f"role:role-{number}" for number in reversed(range(7))]
    assert len(await accounts.audit_entries(actor="alice")) == 3
    assert len(await accounts.audit_entries(object="role:role-4", actor="bob", action="role.save")) == 1
    assert await accounts.audit_entries(object="role:\x00") == []
    for limit in (0, 1001):
        with pytest.raises(Invalid):
            await accounts.audit_entries(limit=limit)


async def test_roles_are_changed_by_name_without_case(accounts: Accounts) -> None:
    await accounts.save_role("Readers", ["job:*:read"], description="may look")
    await accounts.save_role("readers", ["job:a:read"], description="may look a little")
    [role] = await accounts.list_roles()
    assert (role.name, role.permissions, role.description) == (
        "Readers",
        ("job:a:read",),
        "may look a little",
    )
    wrong: tuple[tuple[str, list[str], str], ...] = (
        ("a b", [], ""),
        ("ok", ["job:"], ""),
        ("ok", [], "\x00"),
    )
    for name, permissions, description in wrong:
        with pytest.raises(LibertyError):
            await accounts.save_role(name, permissions, description=description)
    with pytest.raises(NotFound):
        await accounts.delete_role("\x00")
