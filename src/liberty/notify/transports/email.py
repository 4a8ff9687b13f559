"""E-mail by SMTP, in text and HTML. The library blocks, so it works in a thread."""

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, parseaddr

from liberty.notify.config import EmailChannel
from liberty.notify.message import Message
from liberty.notify.transports.base import NotDelivered, Tools

PERMANENT_FROM = 500


async def send(channel: EmailChannel, message: Message, _: Tools) -> str:
    """Hand the message to the mail server; its answer. Raises NotDelivered."""
    to = (message.address,) if message.address else channel.to
    if not to:
        raise NotDelivered("the channel has no 'to', and the job names no address", permanent=True)
    return await asyncio.to_thread(_send, channel, _mail(channel, message, to))


def _mail(channel: EmailChannel, message: Message, to: tuple[str, ...]) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = " ".join(message.subject.split())
    mail["From"] = channel.sender
    mail["To"] = ", ".join(to)
    mail["Date"] = formatdate(usegmt=True)
    domain = parseaddr(channel.sender)[1].rpartition("@")[2] or "nomaflow"
    mail["Message-ID"] = (
        f"<{message.key}@{domain}>"  # the same for every attempt: mail stores drop the second
    )
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.mail_text)
    mail.add_alternative(message.html, subtype="html")
    return mail


def _send(channel: EmailChannel, mail: EmailMessage) -> str:
    context = ssl.create_default_context()
    try:
        with _connect(channel, context) as server:
            if channel.security == "starttls":
                server.starttls(context=context)
            if channel.user is not None:
                server.login(channel.user, channel.password or "")
            refused = server.send_message(mail)
    except smtplib.SMTPNotSupportedError as error:
        raise NotDelivered(f"{channel.host}: {error}", permanent=True) from error
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        told = "; ".join(f"{who}: {code} {text!r}" for who, (code, text) in error.recipients.items())
        raise NotDelivered(told, permanent=min(codes) >= PERMANENT_FROM) from error
    except smtplib.SMTPResponseException as error:
        said = (
            error.smtp_error.decode("utf-8", "replace")
            if isinstance(error.smtp_error, bytes)
            else error.smtp_error
        )
        raise NotDelivered(
            f"{error.smtp_code} {said}", permanent=error.smtp_code >= PERMANENT_FROM
        ) from error
    except (smtplib.SMTPException, OSError) as error:
        raise NotDelivered(
            f"{channel.host}:{channel.server_port}: {error or type(error).__name__}"
        ) from error
    return f"accepted; refused for {', '.join(refused)}" if refused else "250 accepted"


def _connect(channel: EmailChannel, context: ssl.SSLContext) -> smtplib.SMTP:
    timeout = channel.timeout_seconds
    if channel.security == "tls":
        return smtplib.SMTP_SSL(channel.host, channel.server_port, timeout=timeout, context=context)
    return smtplib.SMTP(channel.host, channel.server_port, timeout=timeout)
