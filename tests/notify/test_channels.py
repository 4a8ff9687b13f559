"""Every kind of channel against a real server: what is sent, what is tried again, what is given up."""

import os
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug import Response

from liberty.notify.service import Incidents
from liberty.notify.store import deliveries, incidents
from tests.factories import ALICE, AppsRepo, Program, eventually
from tests.notify.conftest import Hook, Mailbox
from tests.notify.test_events import PLUGIN, hooked, job, settled, told


def service(program: Program) -> Incidents:
    runtime = program.runtime
    return Incidents(
        database=runtime.database,
        clock=runtime.clock,
        notifier=runtime.notifier,
        current=lambda: runtime.generation,
    )


async def trial(program: Program, channel: str) -> dict[str, Any]:
    return await service(program).test(channel, ALICE)


async def test_a_mail_has_text_html_and_the_traceback(repo: AppsRepo, mailbox: Mailbox) -> None:
    port = mailbox.start()
    repo.plugin(PLUGIN).jobs(job("nightly", "fails", 'recipients = ["data@corp.example"]'))
    repo.notifications(
        f"""
        [channels.mail]
        type = "email"
        host = "127.0.0.1"
        port = {port}
        security = "none"
        from = "Nomaflow <nomaflow@corp.example>"
        to = ["ops@corp.example"]
        """
    )
    async with repo.running("server") as program:
        await program.run("nightly")
        await eventually(lambda: mailbox.mails)
    (mail,) = mailbox.mails
    assert mail["Subject"] == "[Nomaflow] FAILED nightly"
    assert mail["To"] == "data@corp.example"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "nightly failed at step only" in text.get_content()
    assert "ValueError: no table called orders" in text.get_content()
    assert "work.py" in text.get_content()
    assert "<b>nightly failed at step only</b>" in html.get_content()


@pytest.mark.parametrize("known", [True, False])
async def test_mail_over_starttls_needs_a_certificate_that_is_known(
    repo: AppsRepo,
    mailbox: Mailbox,
    certificate: Callable[[], tuple[Path, Path]],
    monkeypatch: pytest.MonkeyPatch,
    known: bool,
) -> None:
    made, key = certificate()
    if known:
        monkeypatch.setitem(os.environ, "SSL_CERT_FILE", str(made))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(made, key)
    mailbox.users = {"nomaflow": "a-mail-password"}
    port = mailbox.start(tls)
    repo.notifications(
        f"""
        [channels.mail]
        type = "email"
        host = "127.0.0.1"
        port = {port}
        user = "nomaflow"
        password = "a-mail-password"
        from = "nomaflow@corp.example"
        to = ["ops@corp.example"]
        """
    )
    async with repo.running("server") as program:
        found = await trial(program, "mail")
    assert found["ok"] is known, found
    assert [mail["Subject"] for mail in mailbox.mails] == (["[Nomaflow] TEST mail"] if known else [])
    if not known:
        assert "certificate verify failed" in found["answer"]


async def test_what_is_refused_for_good_is_dead_and_told_elsewhere(
    repo_on_both: AppsRepo, hook: Hook, mailbox: Mailbox
) -> None:
    port = mailbox.start()
    mailbox.refuse = "550 no such mailbox"
    repo = repo_on_both
    repo.plugin(PLUGIN).jobs(job("nightly", "fails", 'recipients = ["mail"]'))
    mail = f'[channels.mail]\ntype = "email"\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'
    repo.notifications(hooked(hook, mail + 'from = "n@corp.example"\nto = ["ops@corp.example"]\n'))
    async with repo.running("server") as program:
        detail = await program.run("nightly")
        assert await told(hook, 1) == ["channel-failing"]
        await settled(program)
        database = program.runtime.database
        (dead,) = await database.read(deliveries.page, state="dead", channel=None, before=None, count=9)
        assert (dead.channel, dead.answer, dead.attempts) == ("mail", "550 no such mailbox", 1)
        shown = {one["name"]: one["state"] for one in (await service(program).channels())["items"]}
        assert shown == {"ops": "ok", "mail": "failing"}
        assert str(await program.status(detail.run)) == "failed"
        mailbox.refuse = None
        repo.jobs(
            job("nightly", "fails", 'recipients = ["mail"]') + job("other", "fails", 'recipients = ["mail"]')
        )
        await program.runtime.reload()
        await program.run("other")
        await eventually(lambda: mailbox.mails)
        await settled(program)
        shown = {one["name"]: one["state"] for one in (await service(program).channels())["items"]}
        assert shown["mail"] == "ok"


async def test_what_is_refused_for_now_is_sent_again_under_the_same_key(
    repo_on_both: AppsRepo, hook: Hook
) -> None:
    hook.answers = [Response("later", 503), Response("later", 503)]
    repo_on_both.plugin(PLUGIN).jobs(job("nightly", "fails")).notifications(hooked(hook))
    async with repo_on_both.running("server") as program:
        await program.run("nightly")
        await eventually(lambda: len(hook.requests) == 3, within=30)
        await settled(program)
        (sent,) = await program.runtime.database.read(
            deliveries.page, state=None, channel=None, before=None, count=9
        )
    assert (sent.state, sent.attempts, sent.answer) == ("sent", 3, "200 ok")
    assert {request.headers["Idempotency-Key"] for request in hook.requests} == {sent.batch}


async def test_chats_get_what_they_understand(repo: AppsRepo, hook: Hook) -> None:
    slack = f'[channels.chat]\ntype = "slack"\nurl = "{hook.url}"\nchannel = "#ops"\n'
    teams = f'[channels.teams]\ntype = "teams"\nurl = "{hook.url}"\n'
    own = f'[channels.own]\ntype = "webhook"\nurl = "{hook.url}"\nheaders = {{ X-Team = "data" }}\n'
    own += """body = '{"who": "${job_id}", "what": "${event}", "n": ${count}}'\n"""
    repo.notifications(slack + teams + own)
    async with repo.running("server") as program:
        for recipient in ("chat", "chat:#data", "teams", "own"):
            assert (await trial(program, recipient))["ok"]
    chat, other, card, free = hook.bodies
    assert (chat["channel"], chat["username"], other["channel"]) == ("#ops", "Nomaflow", "#data")
    assert card["attachments"][0]["content"]["body"][0]["text"] == "[Nomaflow] TEST teams"
    assert free == {"who": "own", "what": "test", "n": 1}
    assert hook.requests[3].headers["X-Team"] == "data"


async def test_apprise_speaks_to_the_others(repo: AppsRepo, hook: Hook) -> None:
    address = hook.url.removeprefix("http")
    repo.notifications(
        f'[channels.any]\ntype = "apprise"\nurl = "json{address}"\n[channels.odd]\ntype = "apprise"\nurl = "nothing://x"\n'
    )
    async with repo.running("server") as program:
        assert (await trial(program, "any"))["ok"]
        odd = await trial(program, "odd")
    assert hook.bodies[0]["title"] == "[Nomaflow] TEST any"
    assert (odd["ok"], odd["answer"]) == (False, "apprise does not understand the channel's url")


async def test_a_thousand_failures_become_ten_messages_with_exact_counts(
    repo_on_both: AppsRepo, hook: Hook
) -> None:
    many = 100
    repo = repo_on_both
    repo.plugin(PLUGIN).jobs("".join(job(f"job-{number}", "fails") for number in range(many)))
    repo.notifications(hooked(hook)).app(max_concurrent_runs=32)
    async with repo.running("server") as program:
        for _ in range(10):
            for number in range(many):
                await program.start(f"job-{number}")
            await program.runtime.engine.wait_idle()
        database = program.runtime.database
        await eventually(
            lambda: len({item["job"] for body in hook.bodies for item in body["items"]}) == many, within=60
        )
        await eventually_counted(program, many, 1000)
        assert len(hook.bodies) <= 10
        assert len(jobs_told(hook)) == many
        found = await database.read(incidents.open_ones)
        assert sum(one.count for one in found) == 1000


def jobs_told(hook: Hook) -> list[str]:
    return [item["job"] for body in hook.bodies for item in body["items"]]


async def eventually_counted(program: Program, jobs: int, failures: int) -> None:
    async def counted() -> bool:
        found = await program.runtime.database.read(incidents.open_ones)
        return len(found) == jobs and sum(one.count for one in found) == failures

    await eventually(counted, within=60)
