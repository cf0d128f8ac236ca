"""A request goes to the address that was looked at, once, in bounded time and size, and its end is told truly."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connector.adapters.channels.posting import MOST_BYTES, WHOLE_SECONDS, Answer, Poster, raise_for
from connector.adapters.outbound_guard import OutboundGuard
from connector.errors import ChannelAmbiguousError, ChannelError, ChannelRefusedError, ChannelUnavailableError
from tests.adapters.channels.listening import HOST, Listener, Said, poster


def test_a_post_arrives_once_with_the_hosts_own_name(listener: Listener) -> None:
    listener.say(Said(201, b'{"ok": true}', {"X-Answer": "yes"}))
    answer = poster().post(listener.url("/a?b=c"), b"hello", {"X-Mine": "1"})
    (heard,) = listener.heard
    assert (heard.method, heard.path, heard.body) == ("POST", "/a?b=c", b"hello")
    assert heard.headers["host"] == f"{HOST}:{listener.port}"
    assert (heard.headers["x-mine"], heard.headers["content-length"]) == ("1", "5")
    assert (answer.status, answer.body, answer.headers["x-answer"]) == (201, b'{"ok": true}', "yes")


def test_the_name_is_resolved_once_so_that_it_cannot_change_its_mind(listener: Listener) -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    guard = OutboundGuard(allows_loopback=True, resolve=lambda _host, _port: answers.pop(0))
    Poster(guard).post(listener.url(), b"", {})
    assert len(listener.heard) == 1
    assert answers == [["10.0.0.1"]]


def test_an_inner_address_is_never_connected_to(listener: Listener) -> None:
    guard = OutboundGuard(resolve=lambda _host, _port: ["127.0.0.1"])
    with pytest.raises(ChannelRefusedError, match="may not be called"):
        Poster(guard).post(listener.url(scheme="https"), b"", {})
    assert listener.heard == []


def test_the_next_address_is_tried_when_the_first_refuses(listener: Listener) -> None:
    guard = OutboundGuard(allows_loopback=True, resolve=lambda _host, _port: ["::1", "127.0.0.1"])
    assert Poster(guard).post(listener.url(), b"", {}).status == 200


def test_a_redirect_is_not_followed(listener: Listener) -> None:
    listener.say(Said(302, headers={"Location": listener.url("/elsewhere")}))
    answer = poster().post(listener.url(), b"", {})
    with pytest.raises(ChannelRefusedError, match="redirects are not followed"):
        raise_for(answer, is_repeatable=True)
    assert [heard.path for heard in listener.heard] == ["/hook"]


def test_nobody_listening_means_that_it_certainly_did_not_arrive() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(ChannelUnavailableError, match="never left"):
            poster().post(f"http://{HOST}:{taken.getsockname()[1]}/", b"", {})


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def test_a_connection_that_breaks_after_the_request_leaves_it_open(listener: Listener) -> None:
    listener.say(Said(act=hang_up))
    with pytest.raises(ChannelAmbiguousError, match="may have arrived") as lost:
        poster().post(listener.url("/secret-path"), b"text", {})
    assert "secret-path" not in str(lost.value)


def test_an_answer_that_is_too_large_is_not_kept_and_its_status_is(listener: Listener) -> None:
    listener.say(Said(body=b"x" * MOST_BYTES), Said(body=b"x" * (MOST_BYTES + 1)))
    assert len(poster().post(listener.url(), b"", {}).body) == MOST_BYTES
    answer = poster().post(listener.url(), b"", {})
    assert (answer.status, answer.body) == (200, b"")


class Ticks:
    """Seconds that jump ahead after a given number of looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def __call__(self) -> float:
        self.looks -= 1
        return 0.0 if self.looks >= 0 else WHOLE_SECONDS + 1


def drip(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(3):
        handler.wfile.write(b"x")
        handler.wfile.flush()


def test_an_answer_that_drips_is_given_up_when_the_whole_time_is_over(listener: Listener) -> None:
    listener.say(Said(act=drip))
    with pytest.raises(ChannelAmbiguousError, match="no answer in time"):
        poster(monotonic=Ticks(5)).post(listener.url(), b"", {})


def self_signed(directory: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make a certificate for a name; give the server's context and one that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = directory / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=str(pem))


def test_tls_is_spoken_under_the_hosts_name_though_the_address_was_chosen_before(tmp_path: Path) -> None:
    server, trust = self_signed(tmp_path, HOST)
    asked: list[str | None] = []
    server.sni_callback = lambda _socket, name, _context: asked.append(name)
    listener = Listener(server)
    try:
        assert poster(tls=trust).post(listener.url(scheme="https"), b"", {}).status == 200
    finally:
        listener.close()
    assert asked == [HOST]
    assert listener.heard[0].headers["host"] == f"{HOST}:{listener.port}"


def test_a_certificate_for_another_name_is_not_trusted_and_nothing_leaves(tmp_path: Path) -> None:
    server, trust = self_signed(tmp_path, "other.example.com")
    listener = Listener(server)
    try:
        with pytest.raises(ChannelUnavailableError, match="never left"):
            poster(tls=trust).post(listener.url(scheme="https"), b"", {})
    finally:
        listener.close()
    assert listener.heard == []


@pytest.mark.parametrize(
    ("status", "is_repeatable", "error"),
    [
        (400, True, ChannelRefusedError),
        (404, False, ChannelRefusedError),
        (307, True, ChannelRefusedError),
        (429, False, ChannelUnavailableError),
        (503, False, ChannelUnavailableError),
        (408, True, ChannelUnavailableError),
        (500, True, ChannelUnavailableError),
        (408, False, ChannelAmbiguousError),
        (502, False, ChannelAmbiguousError),
    ],
)
def test_a_status_says_what_may_have_been_done(status: int, is_repeatable: bool, error: type[ChannelError]) -> None:
    with pytest.raises(error) as raised:
        raise_for(Answer(status, {"retry-after": "7"}, b""), is_repeatable=is_repeatable)
    assert raised.value.status == status
    waits = raised.value.retry_after == dt.timedelta(seconds=7)
    assert waits is not isinstance(raised.value, ChannelRefusedError)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_success_passes(status: int) -> None:
    raise_for(Answer(status, {}, b""), is_repeatable=False)


def test_a_scheme_in_capitals_is_encrypted_too(listener: Listener) -> None:
    asked: list[bool] = []

    class Guard(OutboundGuard):
        def addresses(self, host: str, port: int, *, is_encrypted: bool = True) -> list[str]:
            asked.append(is_encrypted)
            raise ChannelRefusedError("far enough")

    with pytest.raises(ChannelRefusedError, match="far enough"):
        Poster(Guard(allows_loopback=True)).post(f"HTTPS://{HOST}:{listener.port}/", b"", {})
    assert asked == [True]
