"""An e-mail is handed over once; what the mail server says tells whether it may be tried again."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from connector.adapters.channels.email import EmailChannel, MailServer, mail_server
from connector.errors import (
    ChannelAmbiguousError,
    ChannelError,
    ChannelRefusedError,
    ChannelUnavailableError,
    ConfigurationError,
)
from connector.ports.channels import Delivery
from tests.adapters.channels.test_posting import self_signed

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
TOLD = Delivery("id-1", "Overdue:\r\nBcc: all@example.com", "INV-7 is open.\n.\nGrüße")


class PostOffice(socketserver.ThreadingTCPServer):
    """A mail server that says what it is told to per command; `hang up` ends the connection."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Clerk)
        self.tls: ssl.SSLContext | None = None
        self.says: dict[str, str] = {}
        self.commands: list[str] = []
        self.mails: list[bytes] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hang up: some tests make them."""


class _Clerk(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        office = self.server
        assert isinstance(office, PostOffice)
        self._say(office.says.get("welcome", "220 ready"))
        while line := self.rfile.readline():
            words = line.decode().strip()
            office.commands.append(words)
            verb = words.split(" ", maxsplit=1)[0].upper()
            usual = {
                "EHLO": "250-post\r\n250 AUTH PLAIN",
                "DATA": "354 go on",
                "AUTH": "235 welcome",
                "STARTTLS": "220 go",
            }.get(verb, "250 ok")
            said = office.says.get(words, office.says.get(verb, usual))
            if said == "hang up":
                return
            self._say(said)
            if verb == "STARTTLS" and office.tls is not None:
                self.connection = office.tls.wrap_socket(self.request, server_side=True)
                self.setup_files()
            if verb == "DATA" and said.startswith("354"):
                content = b"".join(iter(self.rfile.readline, b".\r\n"))
                office.mails.append(content)
                said = office.says.get("content", "250 taken")
                if said == "hang up":
                    return
                self._say(said)

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def setup_files(self) -> None:
        """Go on over the encrypted connection."""
        self.rfile = self.connection.makefile("rb", -1)
        self.wfile = self.connection.makefile("wb", 0)

    def _say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with PostOffice() as office:
        thread = threading.Thread(target=office.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield office
        office.shutdown()
        thread.join()


def channel(office: PostOffice, *recipients: str, user: str = "") -> EmailChannel:
    server = MailServer("127.0.0.1", office.server_address[1], is_encrypted=False, user=user, password="secret")
    return EmailChannel(server, "SMS <sms@example.com>", recipients or ("billing@example.com",), lambda: NOW)


def mail(office: PostOffice) -> EmailMessage:
    (content,) = office.mails
    unstuffed = b"\r\n".join(line.removeprefix(b".") if line != b"." else line for line in content.split(b"\r\n"))
    return message_from_bytes(unstuffed, policy=policy.default)


def test_a_mail_is_handed_over_with_our_id_and_no_header_of_a_customer(office: PostOffice) -> None:
    channel(office, "a@example.com", "b@example.com").deliver(TOLD)
    message = mail(office)
    assert office.mails[0].isascii()
    assert message["Message-ID"] == "<id-1@example.com>"
    assert message["To"] == "a@example.com, b@example.com"
    assert message["Subject"] == "Overdue: Bcc: all@example.com"
    assert message["Bcc"] is None
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"] == "Fri, 20 Nov 2026 15:30:00 +0000"
    assert message.get_content().split() == ["INV-7", "is", "open.", ".", "Grüße"]
    assert [each for each in office.commands if each.lower().startswith("rcpt")] == [
        "rcpt TO:<a@example.com>",
        "rcpt TO:<b@example.com>",
    ]


def test_user_and_password_are_given_where_there_are_some(office: PostOffice) -> None:
    channel(office, user="bob").deliver(TOLD)
    assert any(each.startswith("AUTH PLAIN") for each in office.commands)
    assert len(office.mails) == 1


@pytest.mark.parametrize(
    ("says", "error", "words"),
    [
        ({"AUTH": "535 no"}, ChannelUnavailableError, "does not accept user and password"),
        ({"EHLO": "hang up"}, ChannelUnavailableError, "hangs up before anything"),
        ({"welcome": "554 go away"}, ChannelUnavailableError, "cannot be reached"),
        ({"MAIL": "hang up"}, ChannelUnavailableError, "hung up before"),
        ({"MAIL": "451 later"}, ChannelUnavailableError, "the sender: 451"),
        ({"MAIL": "550 billing@example.com? no"}, ChannelRefusedError, "the sender: 550"),
        ({"RCPT": "550 nobody"}, ChannelRefusedError, "any recipient: 550"),
        ({"RCPT": "450 greylisted"}, ChannelUnavailableError, "any recipient: 450"),
        ({"DATA": "451 later"}, ChannelUnavailableError, "the message: 451"),
        ({"content": "554 spam"}, ChannelRefusedError, "the message: 554"),
        ({"content": "452 full"}, ChannelUnavailableError, "the message: 452"),
        ({"content": "hang up"}, ChannelAmbiguousError, "may have been sent"),
    ],
)
def test_what_the_server_says_tells_what_was_done(
    office: PostOffice, says: Mapping[str, str], error: type[ChannelError], words: str
) -> None:
    office.says = dict(says)
    with pytest.raises(error, match=words) as failed:
        channel(office, user="bob").deliver(TOLD)
    assert "example.com" not in str(failed.value)


def test_recipients_that_are_taken_get_the_mail_though_another_is_not(office: PostOffice) -> None:
    office.says = {"rcpt TO:<gone@example.com>": "550 nobody"}
    channel(office, "gone@example.com", "b@example.com").deliver(TOLD)
    assert len(office.mails) == 1


def test_no_mail_server_means_that_nothing_was_sent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        server = MailServer("127.0.0.1", taken.getsockname()[1], is_encrypted=False)
        with pytest.raises(ChannelUnavailableError):
            EmailChannel(server, "sms@example.com", ["a@example.com"], lambda: NOW).deliver(TOLD)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtps://u:p%40ss@mail.example.com", MailServer("mail.example.com", 465, True, "u", "p@ss")),
        ("smtp://mail.example.com", MailServer("mail.example.com", 587, False)),
        ("smtp://localhost:1025", MailServer("localhost", 1025, False)),
    ],
)
def test_a_url_names_server_port_and_encryption(url: str, server: MailServer) -> None:
    assert mail_server(url) == server


@pytest.mark.parametrize(
    "url", ["", "mail.example.com", "http://mail.example.com", "smtp://", "smtp://h:port", "smtp://[::1"]
)
def test_a_url_that_is_none_of_a_mail_server_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^SMTP_URL is missing or wrong"):
        mail_server(url)


def over_tls(office: PostOffice, trust: ssl.SSLContext, *, is_encrypted: bool) -> EmailChannel:
    server = MailServer("localhost", office.server_address[1], is_encrypted, "bob", "secret")
    return EmailChannel(server, "sms@example.com", ["a@example.com"], lambda: NOW, tls=trust)


def test_a_server_that_offers_encryption_hears_the_password_only_behind_it(office: PostOffice, tmp_path: Path) -> None:
    office.tls, trust = self_signed(tmp_path, "localhost")
    office.says = {"EHLO": "250-post\r\n250-STARTTLS\r\n250 AUTH PLAIN"}
    over_tls(office, trust, is_encrypted=False).deliver(TOLD)
    verbs = [each.split(" ", maxsplit=1)[0].upper() for each in office.commands]
    assert verbs[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]
    assert len(office.mails) == 1


def test_a_server_whose_certificate_is_not_trusted_hears_nothing_more(office: PostOffice, tmp_path: Path) -> None:
    office.tls, _ = self_signed(tmp_path, "localhost")
    office.says = {"EHLO": "250-post\r\n250-STARTTLS\r\n250 AUTH PLAIN"}
    with pytest.raises(ChannelUnavailableError):
        over_tls(office, ssl.create_default_context(), is_encrypted=False).deliver(TOLD)
    assert not any(each.startswith("AUTH") for each in office.commands)


def test_an_encrypted_server_is_spoken_to_behind_tls_from_the_start(office: PostOffice, tmp_path: Path) -> None:
    server, trust = self_signed(tmp_path, "localhost")
    office.socket = server.wrap_socket(office.socket, server_side=True)
    over_tls(office, trust, is_encrypted=True).deliver(TOLD)
    assert len(office.mails) == 1


@pytest.mark.parametrize(
    ("steps", "error"), [(1, ChannelUnavailableError), (2, ChannelUnavailableError), (4, ChannelUnavailableError)]
)
def test_a_server_that_takes_too_long_is_given_up(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch, steps: int, error: type[ChannelError]
) -> None:
    looks = iter([0.0] * (steps) + [1000.0] * 9)
    monkeypatch.setattr("connector.adapters.channels.email.time.monotonic", lambda: next(looks))
    with pytest.raises(error):
        channel(office).deliver(TOLD)
    assert office.mails == []


def test_a_password_is_never_sent_in_the_clear(office: PostOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MailServer, "is_local", property(lambda _self: False))
    with pytest.raises(ChannelRefusedError, match="no encryption"):
        channel(office, user="bob").deliver(TOLD)
    assert not any(each.startswith("AUTH") for each in office.commands)
