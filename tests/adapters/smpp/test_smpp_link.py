from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from connector.adapters.smpp.frames import Command, Frame, FrameCutter, answer_to
from connector.adapters.smpp.link import Link, LinkLostError, Parcel
from connector.adapters.smpp.pdu import Login
from connector.adapters.smpp.session import Session, Ticket
from connector.errors import AmbiguousSendError, TransientSendError
from tests.adapters.smpp.binding import QUICK

MORE_THAN_FITS = b"x" * 4_000_000  # octets; the two buffers of a socket pair hold some hundred thousand


@pytest.fixture
def pair() -> Iterator[tuple[Link, socket.socket]]:
    """A link and its other end, which reads nothing of itself."""
    ours, theirs = socket.socketpair()
    link = Link(ours)
    yield link, theirs
    link.close()
    theirs.close()


def test_what_did_not_fit_into_the_socket_never_left(pair: tuple[Link, socket.socket]) -> None:
    link, theirs = pair
    first, second = Parcel(MORE_THAN_FITS), Parcel(b"y")
    link.put(first)
    link.put(second)
    link.turn(0)
    theirs.close()
    with pytest.raises(LinkLostError):
        link.turn(1)
    assert (first.cancel(), second.cancel()) == (False, True)


def test_what_was_called_back_is_not_written(pair: tuple[Link, socket.socket]) -> None:
    link, theirs = pair
    recalled = Parcel(b"recalled")
    link.put(recalled)
    assert recalled.cancel()
    link.put(Parcel(b"sent"))
    link.turn(1)
    assert theirs.recv(100) == b"sent"


def test_what_has_left_cannot_be_called_back(pair: tuple[Link, socket.socket]) -> None:
    link, theirs = pair
    parcel = Parcel(b"sent")
    link.put(parcel)
    link.turn(1)
    assert not parcel.cancel()
    assert theirs.recv(100) == b"sent"


def test_answers_that_arrived_are_read_before_the_end_is_told(pair: tuple[Link, socket.socket]) -> None:
    link, theirs = pair
    link.put(Parcel(b"to nobody"))
    theirs.sendall(b"the last answer")
    theirs.shutdown(socket.SHUT_RD)  # so that writing fails
    theirs.close()
    assert link.turn(1) == b"the last answer"
    with pytest.raises(LinkLostError):
        link.turn(1)


def test_putting_and_waking_after_the_end_does_no_harm() -> None:
    ours, theirs = socket.socketpair()
    link = Link(ours)
    link.close()
    theirs.close()
    parcel = Parcel(b"late")
    link.put(parcel)
    link.wake()
    assert parcel.cancel()


def _bound(theirs: socket.socket) -> None:
    """Play the gateway's side of a bind."""
    (request,) = FrameCutter().feed(theirs.recv(1000))
    assert request.command == Command.BIND_TRANSCEIVER
    theirs.sendall(answer_to(request, body=b"smsc\0").encoded())


def _run(session: Session) -> str:
    with pytest.raises(LinkLostError) as caught:
        session.run()
    return caught.value.word


def test_of_submits_under_way_those_never_written_are_safe_to_send_again() -> None:
    ours, theirs = socket.socketpair()
    bound = threading.Event()
    session = Session(Link(ours), Login("acme", "s3cret"), QUICK, lambda *_: None, bound.set)
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(_run, session)
        _bound(theirs)
        assert bound.wait(10)
        written = session.ask(Command.SUBMIT_SM, MORE_THAN_FITS, lambda _: None, window=9)
        behind = session.ask(Command.SUBMIT_SM, b"never", lambda _: None, window=9)
        head = b""
        while len(head) < 1000:  # some of the first one is out
            head += theirs.recv(1000)
        theirs.close()
        assert running.result(10) in {"closed", "read_error", "write_error"}
    assert isinstance(written.future.exception(), AmbiguousSendError)
    assert isinstance(behind.future.exception(), TransientSendError)
    assert session.is_over


def test_submit_that_is_given_up_before_it_was_written_never_will_be() -> None:
    ours, theirs = socket.socketpair()
    bound = threading.Event()
    session = Session(Link(ours), Login("acme", "s3cret"), replace(QUICK, stuck=1000.0), lambda *_: None, bound.set)
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(_run, session)
        _bound(theirs)
        assert bound.wait(10)
        session.ask(Command.SUBMIT_SM, MORE_THAN_FITS, lambda _: None, window=9)
        behind = session.ask(Command.SUBMIT_SM, b"never", lambda _: None, window=9)
        assert isinstance(session.give_up(behind), TransientSendError)
        assert session.load == 1
        theirs.shutdown(socket.SHUT_WR)
        running.result(10)
        theirs.close()
    assert not behind.future.done()


def test_answer_to_another_question_is_not_trusted() -> None:
    ticket = Ticket(Command.SUBMIT_SM, Parcel(b""), 0.0, lambda _: None)
    ticket.answered(Frame(0x80000003, 0, 1))
    assert isinstance(ticket.future.exception(), AmbiguousSendError)


def test_lengths_of_frames_count_their_header() -> None:
    assert struct.unpack(">I", Frame(Command.UNBIND, 0, 1, b"abc").encoded()[:4]) == (19,)
