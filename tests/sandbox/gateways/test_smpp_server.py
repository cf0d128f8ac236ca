from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest

from connector.sandbox.gateways import smpp_wire as wire
from connector.sandbox.gateways.smpp_server import SMPPServer


class Client:
    """A link that says what it is told to."""

    def __init__(self, server: SMPPServer) -> None:
        self._sock = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        self._stream = self._sock.makefile("rb")

    def ask(self, command: int, body: bytes = b"") -> tuple[int, int]:
        """Give command and status of the answer."""
        self._sock.sendall(struct.pack(">IIII", 16 + len(body), command, 0, 1) + body)
        length, answer, status, _ = struct.unpack(">IIII", self._stream.read(16))
        self._stream.read(length - 16)
        return answer, status

    def close(self) -> None:
        self._stream.close()
        self._sock.close()


LOGIN = b"acme\0s3cret\0\0\x34\0\0\0"


def submit(  # the fields of a submit_sm that an SMSC looks at
    text: bytes = b"Hi",
    *,
    source: bytes = b"\x05\x00ACME\0",
    to: bytes = b"\x01\x0112025550143\0",
    esm_class: int = 0,
    coding: int = 0,
    validity: bytes = b"",
    length: int | None = None,
    tail: bytes = b"",
) -> bytes:
    size = len(text) if length is None else length
    middle = bytes((esm_class, 0, 0)) + b"\0" + validity + b"\0" + bytes((1, 0, coding, 0, size))
    return b"\0" + source + to + middle + text + tail


@pytest.fixture
def server() -> Iterator[SMPPServer]:
    with SMPPServer() as one:
        yield one


@pytest.fixture
def client(server: SMPPServer) -> Iterator[Client]:
    one = Client(server)
    yield one
    one.close()


def test_nothing_is_taken_before_a_bind(client: Client, server: SMPPServer) -> None:
    assert client.ask(wire.SUBMIT_SM, submit()) == (0x80000004, wire.NOT_BOUND)
    assert server.messages == []


@pytest.mark.parametrize(
    ("login", "status"),
    [
        (LOGIN, wire.OK),
        (LOGIN.replace(b"s3cret", b"secret"), wire.WRONG_PASSWORD),
        (LOGIN.replace(b"acme", b"other"), wire.WRONG_SYSTEM_ID),
        (LOGIN.replace(b"\x34", b"\x33"), wire.INVALID_LENGTH),
        (LOGIN + b"x", wire.INVALID_LENGTH),
        (LOGIN.replace(b"s3cret", b"s3cret789"), wire.INVALID_LENGTH),
        (b"", wire.INVALID_LENGTH),
    ],
)
def test_login_is_checked(client: Client, login: bytes, status: int) -> None:
    assert client.ask(wire.BIND_TRANSCEIVER, login) == (0x80000009, status)


def test_second_bind_over_one_link_is_refused(client: Client) -> None:
    client.ask(wire.BIND_TRANSCEIVER, LOGIN)
    assert client.ask(wire.BIND_TRANSCEIVER, LOGIN)[1] == wire.ALREADY_BOUND


def test_command_nobody_knows_gets_a_generic_nack(client: Client) -> None:
    assert client.ask(0x0103) == (wire.GENERIC_NACK, wire.INVALID_COMMAND)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (submit(), wire.OK),
        (submit(validity=b"000000010000000R"), wire.OK),
        (submit(tail=b"\x14\x00\x00\x02hi"), wire.OK),
        (submit(source=b"\x03\x0012345\0"), wire.OK),
        (submit(source=b"\x00\x00\0"), wire.OK),
        (submit(to=b"\x00\x0012025550143\0"), wire.INVALID_DESTINATION_TON),
        (submit(to=b"\x01\x01+12025550143\0"), wire.INVALID_DESTINATION),
        (submit(source=b"\x02\x0112025550100\0"), wire.INVALID_SOURCE_TON),
        (submit(source=b"\x05\x00TwelveLetter\0"), wire.INVALID_SOURCE),
        (submit(source=b"\x05\x0012345\0"), wire.INVALID_SOURCE),
        (submit(validity=b"tomorrow"), wire.INVALID_EXPIRY),
        (submit(b"\x80"), wire.INVALID_LENGTH),
        (submit(b"x" * 161), wire.INVALID_LENGTH),
        (submit(b"x\x1b"), wire.INVALID_LENGTH),
        (submit(b"\x05\xd0\x05", coding=8), wire.INVALID_LENGTH),
        (submit(b"\xd8\x3d", coding=8), wire.INVALID_LENGTH),
        (submit(b"\x05\xd0" * 71, coding=8), wire.INVALID_LENGTH),
        (submit(coding=5), wire.INVALID_LENGTH),
        (submit(b"\x05\x00\x03\x01\x02\x01" + b"x" * 153, esm_class=0x40), wire.OK),
        (submit(b"\x05\x00\x03\x01\x02\x01" + b"x" * 154, esm_class=0x40), wire.INVALID_LENGTH),
        (submit(b"\x05", esm_class=0x40), wire.INVALID_ESM_CLASS),
        (submit(esm_class=0x04), wire.INVALID_ESM_CLASS),
        (submit(length=200), wire.INVALID_LENGTH),
        (submit(tail=b"\x14\x00\x00\x09hi"), wire.INVALID_PARAMETER_STREAM),
    ],
)
def test_submit_is_taken_or_refused_as_the_specification_has_it(
    client: Client, server: SMPPServer, body: bytes, status: int
) -> None:
    client.ask(wire.BIND_TRANSCEIVER, LOGIN)
    assert client.ask(wire.SUBMIT_SM, body) == (0x80000004, status)
    assert len(server.messages) == (status == wire.OK)


def test_fault_nobody_knows_cannot_be_armed(server: SMPPServer) -> None:
    with pytest.raises(ValueError, match="explode"):
        server.arm("explode")


def test_text_goes_nowhere_while_nobody_is_bound(server: SMPPServer) -> None:
    assert server.reply("12025550143", "12025550100", "Hi") == [None]
