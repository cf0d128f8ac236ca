"""How does an e-mail reach a mail server, and what do the server's answers mean?

Over SMTP (RFC 5321) as the operator's SMTP_URL says: `smtps://` is encrypted from the start, `smtp://` as soon as the
server offers it. Until the message itself is handed over nothing has been sent; an answer that is lost after that
leaves it open, and mail servers do not know a repeated message, so it is not sent again.
"""

from __future__ import annotations

import smtplib
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog

from connector.errors import (
    ChannelAmbiguousError,
    ChannelError,
    ChannelRefusedError,
    ChannelUnavailableError,
    ConfigurationError,
)
from connector.ports.channels import Delivery

_STEP_SECONDS = 10.0  # for one answer of the server; busy ones take seconds to look a sender up
_WHOLE_SECONDS = 30.0  # for the whole conversation, half a dozen answers
_NEEDS_A_PERSON = timedelta(minutes=1)  # a wrong password is mended by hand; asking faster earns a block
_LONGEST_SUBJECT = 200  # characters; mail programs show some 70
_PORTS = {"smtp": 587, "smtps": 465}  # message submission (RFC 6409) and its encrypted twin (RFC 8314)
_SEVEN_BITS = SMTP.clone(cte_type="7bit")  # what every server on the way takes, whatever it offers
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in."""

    host: str
    port: int
    is_encrypted: bool
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def is_local(self) -> bool:
        """Whether nothing leaves this machine on the way to it."""
        return self.host in _LOOPBACK


def mail_server(url: str) -> MailServer:
    """Read an SMTP_URL.

    Raises:
        ConfigurationError: it is empty or no such URL; the message does not hold it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ConfigurationError("SMTP_URL is missing or wrong; example: SMTP_URL=smtps://user:password@host:465")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailServer(parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "smtps", user, password)


class EmailChannel:
    """E-mail to fixed addresses, such as a team's."""

    is_repeatable = False

    def __init__(
        self,
        server: MailServer,
        sender: str,
        recipients: Sequence[str],
        now: Callable[[], datetime],
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._server, self._sender, self._recipients = server, sender, tuple(recipients)
        self._now, self._tls = now, tls or ssl.create_default_context()

    def deliver(self, delivery: Delivery) -> Any:
        """Hand one e-mail to the server for all recipients it takes."""
        content = self._message(delivery).as_bytes()
        talk = _Talk.begin(self._server, self._tls)
        try:
            talk.enter(self._server, self._tls)
            taken = talk.envelope(self._sender, self._recipients)
            talk.data(content)
        finally:
            talk.close()
        if taken < len(self._recipients):
            log.warning("email.recipients_refused", refused=len(self._recipients) - taken)

    def _message(self, delivery: Delivery) -> EmailMessage:
        message = EmailMessage(_SEVEN_BITS)
        message["From"], message["To"] = self._sender, ", ".join(self._recipients)
        subject = " ".join((delivery.title or delivery.text).split())  # a line break would end the header
        message["Subject"] = subject[:_LONGEST_SUBJECT]
        message["Date"] = format_datetime(self._now())
        message["Message-ID"] = f"<{delivery.id}@{self._sender.rpartition('@')[2].rstrip('>')}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notice answers this
        message.set_content(delivery.text or delivery.title)
        return message


class _Talk:
    """One conversation with a mail server."""

    def __init__(self, smtp: smtplib.SMTP, ends: float) -> None:
        self._smtp, self._ends = smtp, ends

    @classmethod
    def begin(cls, server: MailServer, tls: ssl.SSLContext) -> _Talk:
        """Connect."""
        ends = time.monotonic() + _WHOLE_SECONDS
        try:
            if server.is_encrypted:
                return cls(smtplib.SMTP_SSL(server.host, server.port, timeout=_STEP_SECONDS, context=tls), ends)
            return cls(smtplib.SMTP(server.host, server.port, timeout=_STEP_SECONDS), ends)
        except (smtplib.SMTPException, OSError):
            raise ChannelUnavailableError("the mail server cannot be reached") from None

    def enter(self, server: MailServer, tls: ssl.SSLContext) -> None:
        """Encrypt and log in."""
        try:
            self._next().ehlo_or_helo_if_needed()
            if not server.is_encrypted and self._smtp.has_extn("starttls"):
                self._next().starttls(context=tls)
            elif not server.is_encrypted and server.user and not server.is_local:
                raise ChannelRefusedError("the mail server offers no encryption; a password is not sent in the clear")
            if server.user:
                self._next().login(server.user, server.password)
        except smtplib.SMTPAuthenticationError as exc:
            raise ChannelUnavailableError(
                "the mail server does not accept user and password", status=exc.smtp_code, retry_after=_NEEDS_A_PERSON
            ) from None
        except (smtplib.SMTPException, OSError):
            raise ChannelUnavailableError("the mail server hangs up before anything was said") from None

    def envelope(self, sender: str, recipients: Sequence[str]) -> int:
        """Name sender and recipients; give how many of these the server takes, at least one."""
        try:
            _raise_unless_taken("the sender", self._next().mail(_bare(sender)))
            answers = [self._next().rcpt(_bare(each)) for each in recipients]
        except (smtplib.SMTPException, OSError):
            raise ChannelUnavailableError("the mail server hung up before the message was handed over") from None
        taken = sum(code in {250, 251} for code, _ in answers)
        if not taken:
            _raise_unless_taken("any recipient", min(answers, key=lambda answer: answer[0]))
        return taken

    def data(self, content: bytes) -> None:
        """Hand the message over."""
        try:
            smtp = self._next()
        except OSError:
            raise ChannelUnavailableError("the mail server took too long") from None
        try:
            answer = smtp.data(content)
        except smtplib.SMTPDataError as exc:  # refused before the message itself
            raise _refusal("the message", exc.smtp_code) from None
        except (smtplib.SMTPException, OSError):
            raise ChannelAmbiguousError("it may have been sent: the mail server hung up on the message") from None
        _raise_unless_taken("the message", answer)

    def close(self) -> None:
        """Hang up; whatever the server makes of that, what was said was said."""
        self._smtp.close()

    def _next(self) -> smtplib.SMTP:
        """Give the next answer its time, as far as the whole has any left.

        Raises:
            OSError: it has none, or the server has hung up.
        """
        left = self._ends - time.monotonic()
        if left <= 0 or self._smtp.sock is None:
            raise TimeoutError
        self._smtp.sock.settimeout(min(_STEP_SECONDS, left))
        return self._smtp


def _raise_unless_taken(what: str, answer: tuple[int, bytes]) -> None:
    code = answer[0]
    if not 200 <= code < 300:
        raise _refusal(what, code)


def _refusal(what: str, code: int) -> ChannelError:
    """Read a refusal: 4yz is for now, 5yz for good (RFC 5321 §4.2.1). The server's words may quote addresses."""
    message = f"the mail server does not take {what}: {code}"
    return (ChannelRefusedError if code >= 500 else ChannelUnavailableError)(message, status=code)


def _bare(address: str) -> str:
    """Take the address out of `Name <address>`."""
    return address.rpartition("<")[2].rstrip(">").strip()
