from __future__ import annotations

import logging
import struct
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import replace

import pytest

from connector.adapters.smpp.frames import Command, Frame
from connector.adapters.smpp.pool import Pool
from connector.adapters.sms.smpp import SMPPGateway
from connector.adapters.sms.smpp_settings import SMPPOptions
from connector.errors import AmbiguousSendError, PermanentSendError, TransientSendError
from connector.ports.gateway import Accepted
from connector.sandbox.gateways import smpp_wire
from connector.sandbox.gateways.smpp_server import PASSWORD, SMPPServer
from tests.adapters.smpp.binding import NUMBER, QUICK, Shelf, pool_on, settings, text


@pytest.fixture
def server() -> Iterator[SMPPServer]:
    with SMPPServer() as one:
        yield one


@pytest.fixture
def pools() -> Iterator[list[Pool]]:
    """Pools to be closed at the end."""
    opened: list[Pool] = []
    yield opened
    for pool in opened:
        pool.close()


def gateway_on(pools: list[Pool], *servers: SMPPServer, **options: object) -> SMPPGateway:
    pools.append(pool_on(*servers, **options))  # type: ignore[arg-type]  # as pool_on takes them
    return SMPPGateway(SMPPOptions(), pools[-1])


# -- being let in


@pytest.mark.parametrize(
    ("status", "code", "error_class"),
    [
        (smpp_wire.WRONG_PASSWORD, "0x0E", "config"),
        (0x0D, "0x0D", "config"),
        (0x410, "0x410", "config"),  # a vendor's own, such as for an address that is not allowed
        (0x0B, "0x0B", "config"),  # whatever it means: no number is to blame for it
        (0x08, "0x08", "transient"),
    ],
)
def test_refused_bind_is_no_fault_of_the_text_and_nothing_went_out(
    server: SMPPServer, pools: list[Pool], status: int, code: str, error_class: str
) -> None:
    server.bind_status = status
    gateway = gateway_on(pools, server, bound=0)
    with pytest.raises(TransientSendError) as caught:
        gateway.send(text())
    assert (caught.value.code, caught.value.error_class) == (code, error_class)
    assert caught.value.retry_after is not None
    assert server.messages == []


def test_bind_that_was_refused_comes_up_once_the_settings_are_mended(server: SMPPServer, pools: list[Pool]) -> None:
    server.bind_status = 0x0D
    gateway = gateway_on(pools, server, bound=0)
    assert server.wait_for(lambda: server.calls["bind_transceiver"] >= 2)
    server.bind_status = 0
    assert pools[0].wait_until_bound(10)
    assert gateway.send(text()).provider_message_id
    assert pools[0].status().refused is None


def test_nobody_listening_is_tried_again_until_somebody_does(server: SMPPServer, pools: list[Pool]) -> None:
    server.stop()
    gateway = gateway_on(pools, server, bound=0, timing=replace(QUICK, room=0.1))
    with pytest.raises(TransientSendError) as caught:
        gateway.send(text())
    assert caught.value.code == "connect_error"
    server.start()
    assert pools[0].wait_until_bound(10)
    assert gateway.send(text()).provider_message_id


def test_gateway_that_never_answers_a_bind_is_left_and_tried_again(server: SMPPServer, pools: list[Pool]) -> None:
    server.bind_status = None
    pools.append(pool_on(server, timing=replace(QUICK, bind=0.05), bound=0))
    assert server.wait_for(lambda: server.calls["bind_transceiver"] >= 2)
    assert pools[0].status().bound == 0
    server.bind_status = 0
    assert pools[0].wait_until_bound(10)


def test_submit_waits_for_a_bind_that_is_coming_up(server: SMPPServer, pools: list[Pool]) -> None:
    assert gateway_on(pools, server, bound=0).send(text()).provider_message_id


def test_pool_binds_to_every_host_as_often_as_it_is_told(server: SMPPServer, pools: list[Pool]) -> None:
    with SMPPServer() as other:
        pools.append(pool_on(server, other, bound=4, binds=2))
        assert (server.bound, other.bound) == (2, 2)


def test_one_host_takes_over_while_the_other_is_away(server: SMPPServer, pools: list[Pool]) -> None:
    with SMPPServer() as other:
        gateway = gateway_on(pools, server, other, bound=2)
        other.stop()
        assert all(gateway.send(text(f"attempt-{number}")).provider_message_id for number in range(5))
    assert len(server.messages) + len(other.messages) == 5


# -- what happens to submits


def test_link_that_breaks_before_the_answer_leaves_it_open(server: SMPPServer, pools: list[Pool]) -> None:
    gateway = gateway_on(pools, server)
    for kind, arrived in (("drop_before", 0), ("drop_after", 1)):
        pools[0].wait_until_bound(10)
        server.arm(kind)
        with pytest.raises(AmbiguousSendError):
            gateway.send(text())
        assert len(server.messages) == arrived
    assert gateway.send(text()).provider_message_id  # and the bind is back


def test_every_submit_under_way_when_the_link_breaks_is_ambiguous(server: SMPPServer, pools: list[Pool]) -> None:
    server.arm("hold", times=5)
    gateway = gateway_on(pools, server)
    with ThreadPoolExecutor(5) as threads:
        futures = [threads.submit(gateway.send, text(f"attempt-{number}")) for number in range(5)]
        assert server.wait_for(lambda: len(server.messages) == 5)
        server.cut()
        errors = [future.exception(10) for future in futures]
    assert [type(error) for error in errors] == [AmbiguousSendError] * 5


def test_answer_that_does_not_come_leaves_it_open_and_the_bind_works_on(server: SMPPServer, pools: list[Pool]) -> None:
    server.arm("silent")
    gateway = gateway_on(pools, server, timing=replace(QUICK, answer=0.2))
    with pytest.raises(AmbiguousSendError) as caught:
        gateway.send(text())
    assert caught.value.code == "answer_timeout"
    assert gateway.send(text("attempt-2")).provider_message_id
    assert server.calls["bind_transceiver"] == 1


def test_answer_that_comes_too_late_still_tells_which_receipt_is_whose(server: SMPPServer, pools: list[Pool]) -> None:
    shelf = Shelf()
    server.arm("hold")
    gateway = gateway_on(pools, server, shelf=shelf, timing=replace(QUICK, answer=0.2))
    with pytest.raises(AmbiguousSendError):
        gateway.send(text("attempt-late"))
    server.release()
    assert server.receipt(server.messages[0]) == 0
    assert [report.attempt_id for report in shelf.reports()] == ["attempt-late"]


def test_submit_that_is_never_answered_ends_the_link_after_a_while(server: SMPPServer, pools: list[Pool]) -> None:
    server.arm("silent")
    gateway = gateway_on(pools, server, timing=replace(QUICK, answer=0.05, stuck=0.2))
    with pytest.raises(AmbiguousSendError):
        gateway.send(text())
    assert server.wait_for(lambda: server.calls["bind_transceiver"] == 2)


@pytest.mark.parametrize("kind", ["refuse", "nack"])
@pytest.mark.parametrize(
    ("status", "error", "error_class"),
    [
        (0x0B, PermanentSendError, "permanent_number"),
        (0x0A, PermanentSendError, "sender_or_registration"),
        (0x45, PermanentSendError, "unknown"),
        (0x08, TransientSendError, "transient"),
        (0x58, TransientSendError, "throttled"),
        (0x14, TransientSendError, "throttled"),
        (0x410, TransientSendError, "unknown"),  # a vendor's own, which may pass
    ],
)
def test_refusals_mean_what_the_table_says(
    server: SMPPServer, pools: list[Pool], kind: str, status: int, error: type[Exception], error_class: str
) -> None:
    server.arm(kind, status=status)
    with pytest.raises(error) as caught:
        gateway_on(pools, server).send(text())
    assert caught.value.error_class == error_class  # type: ignore[attr-defined]  # a SendError
    assert caught.value.code == f"0x{status:02X}"  # type: ignore[attr-defined]  # as above


def test_answer_nobody_can_read_leaves_it_open(server: SMPPServer, pools: list[Pool]) -> None:
    server.arm("garble")
    with pytest.raises(AmbiguousSendError) as caught:
        gateway_on(pools, server).send(text())
    assert caught.value.code == "unreadable_answer"


# -- pace


def test_throttling_makes_the_bind_pause_and_then_go_on(server: SMPPServer, pools: list[Pool]) -> None:
    server.arm("refuse", status=0x58)
    gateway = gateway_on(pools, server, timing=replace(QUICK, pause=30.0, pause_longest=30.0, room=0.1))
    with pytest.raises(TransientSendError) as caught:
        gateway.send(text("attempt-1"))
    assert caught.value.retry_after is not None
    assert 25 < caught.value.retry_after.total_seconds() <= 30
    with pytest.raises(TransientSendError) as caught:
        gateway.send(text("attempt-2"))
    assert (caught.value.code, caught.value.error_class) == ("paused", "throttled")
    assert server.calls["submit_sm"] == 1  # the second one was not even tried


def test_submit_waits_through_a_short_pause(server: SMPPServer, pools: list[Pool]) -> None:
    server.arm("refuse", status=0x14)
    gateway = gateway_on(pools, server)
    with pytest.raises(TransientSendError):
        gateway.send(text("attempt-1"))
    assert gateway.send(text("attempt-2")).provider_message_id


def test_no_more_submits_are_under_way_than_the_window_lets(server: SMPPServer, pools: list[Pool]) -> None:
    server.arm("hold", times=3)
    gateway = gateway_on(pools, server, window=2, timing=replace(QUICK, room=0.2))
    with ThreadPoolExecutor(3) as threads:
        futures = [threads.submit(gateway.send, text(f"attempt-{number}")) for number in range(3)]
        assert server.wait_for(lambda: len(server.messages) == 2)
        (crowded,) = wait(futures, 10, FIRST_COMPLETED).done
        server.release()
        errors = [error for future in futures if (error := future.exception(10))]
    assert errors == [crowded.exception()]
    assert isinstance(errors[0], TransientSendError)
    assert errors[0].code == "window_full"
    assert len(server.messages) == 2


def test_the_bind_with_the_least_to_do_takes_the_next_submit(server: SMPPServer, pools: list[Pool]) -> None:
    with SMPPServer() as busy:
        busy.arm("hold", times=9)
        server.arm("hold", times=9)
        gateway = gateway_on(pools, server, busy, bound=2)
        with ThreadPoolExecutor(6) as threads:
            futures = [threads.submit(gateway.send, text(f"attempt-{number}")) for number in range(6)]
            assert server.wait_for(lambda: len(server.messages) == 3)
            assert busy.wait_for(lambda: len(busy.messages) == 3)
            server.release()
            busy.release()
            assert all(future.result(10) for future in futures)


# -- staying up


def test_silence_is_broken_by_a_question(server: SMPPServer, pools: list[Pool]) -> None:
    pools.append(pool_on(server, timing=replace(QUICK, enquire=0.05)))
    assert server.wait_for(lambda: server.calls["enquire_link"] >= 2)
    assert server.calls["bind_transceiver"] == 1


def test_gateway_that_does_not_answer_the_question_is_bound_to_anew(server: SMPPServer, pools: list[Pool]) -> None:
    server.is_deaf = True
    pools.append(pool_on(server, timing=replace(QUICK, enquire=0.05, enquiry=0.05)))
    assert server.wait_for(lambda: server.calls["bind_transceiver"] >= 2)


def test_question_of_the_gateway_is_answered(server: SMPPServer, pools: list[Pool]) -> None:
    pools.append(pool_on(server))
    server.say(Frame(Command.ENQUIRE_LINK, 0, 5).encoded())
    assert server.wait_for(lambda: server.calls["enquire_link_resp"] == 1)


def test_unbind_of_the_gateway_is_answered_and_followed_by_a_new_bind(server: SMPPServer, pools: list[Pool]) -> None:
    gateway = gateway_on(pools, server, timing=replace(QUICK, leave=0.1))
    server.unbind()
    assert server.wait_for(lambda: server.calls["unbind_resp"] == 1 and server.calls["bind_transceiver"] == 2)
    assert gateway.send(text()).provider_message_id


def test_answer_to_a_submit_is_still_taken_after_the_gateway_has_unbound(server: SMPPServer, pools: list[Pool]) -> None:
    server.arm("hold")
    gateway = gateway_on(pools, server)
    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(gateway.send, text())
        assert server.wait_for(lambda: len(server.messages) == 1)
        server.unbind()
        assert server.wait_for(lambda: server.calls["unbind_resp"] == 1)
        server.release()
        assert isinstance(future.result(10), Accepted)


@pytest.mark.parametrize(
    ("octets", "refused"),
    [
        (Frame(0x0103, 0, 9, b"data_sm").encoded(), True),
        (Frame(0x12345, 0, 9).encoded(), True),
        (struct.pack(">IIII", 80_000, Command.DELIVER_SM, 0, 9) + b"x" * 79_984, True),
        (Frame(0x80000004, 0, 9999, b"\0").encoded(), False),  # answers nothing
        (Frame(0x80000000, 3, 0).encoded(), False),
    ],
)
def test_nonsense_is_refused_or_ignored_and_the_link_lives(
    server: SMPPServer, pools: list[Pool], octets: bytes, refused: bool
) -> None:
    gateway = gateway_on(pools, server)
    server.say(octets)
    assert gateway.send(text()).provider_message_id
    if refused:
        assert server.wait_for(lambda: server.calls["generic_nack"] == 1)
    assert server.calls["bind_transceiver"] == 1


def test_stream_that_cannot_be_cut_into_messages_is_left_for_a_new_one(server: SMPPServer, pools: list[Pool]) -> None:
    gateway = gateway_on(pools, server)
    server.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert server.wait_for(lambda: server.calls["bind_transceiver"] == 2)
    assert gateway.send(text()).provider_message_id


def test_closing_waits_for_the_answers_that_are_due(server: SMPPServer) -> None:
    server.arm("hold")
    pool = pool_on(server)
    with ThreadPoolExecutor(2) as threads:
        future = threads.submit(SMPPGateway(SMPPOptions(), pool).send, text())
        assert server.wait_for(lambda: len(server.messages) == 1)
        closing = threads.submit(pool.close)
        assert pool._stop.wait(10)
        assert not closing.done()
        server.release()
        assert isinstance(future.result(10), Accepted)
        closing.result(10)
    assert server.calls["unbind"] == 1
    with pytest.raises(TransientSendError) as caught:
        SMPPGateway(SMPPOptions(), pool).send(text())
    assert caught.value.code == "closing"


def test_refusal_that_does_not_say_what_is_wrong_may_pass(server: SMPPServer, pools: list[Pool]) -> None:
    server.arm("nack", status=0)
    with pytest.raises(TransientSendError) as caught:
        gateway_on(pools, server).send(text())
    assert caught.value.code == "0x00"


def test_no_part_is_begun_when_its_time_is_over(server: SMPPServer, pools: list[Pool]) -> None:
    gateway = gateway_on(pools, server, timing=replace(QUICK, parts=0.0))
    with pytest.raises(AmbiguousSendError) as caught:
        gateway.send(text(body="x" * 400))
    assert (caught.value.code, len(server.messages)) == ("no_time", 1)


def test_nothing_is_asked_over_a_bind_that_is_leaving(server: SMPPServer) -> None:
    server.arm("hold")
    pool = pool_on(server)
    (bind,) = pool._binds
    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(SMPPGateway(SMPPOptions(), pool).send, text())
        assert server.wait_for(lambda: len(server.messages) == 1)
        bind.stop()
        assert bind.status().is_bound
        assert not bind.may_ask
        server.release()
        assert isinstance(future.result(10), Accepted)
    pool.close()


@pytest.mark.parametrize(("settled", "failures"), [(60.0, 3), (0.0, 1)])
def test_wait_grows_for_a_gateway_that_lets_us_in_and_throws_us_out(
    server: SMPPServer, pools: list[Pool], settled: float, failures: int
) -> None:
    pools.append(pool_on(server, timing=replace(QUICK, settled=settled)))
    (bind,) = pools[0]._binds
    for binds in (2, 3, 4):
        server.cut()
        assert server.wait_for(lambda binds=binds: server.calls["bind_transceiver"] == binds)  # type: ignore[misc]
        with pools[0]._room:
            assert pools[0]._room.wait_for(lambda: pools[0].status().bound == 1, 10)
    assert bind._failures == failures


def test_watchdog_puts_a_new_bind_in_the_place_of_a_dead_one(server: SMPPServer, pools: list[Pool]) -> None:
    gateway = gateway_on(pools, server)
    (bind,) = pools[0]._binds
    bind.stop()
    bind.join(10)
    assert pools[0].replace_hanging([bind]) == 1
    assert gateway.send(text()).provider_message_id
    assert pools[0].replace_hanging(pools[0]._binds) == 0


def test_status_tells_how_each_bind_is(server: SMPPServer, pools: list[Pool]) -> None:
    pools.append(pool_on(server))
    status = pools[0].status()
    assert (status.bound, status.refused, status.binds[0].trouble, status.binds[0].drops) == (1, None, "", 0)
    server.stop()
    with pools[0]._room:
        assert pools[0]._room.wait_for(lambda: pools[0].status().binds[0].drops > 0, 10)
    assert pools[0].status().binds[0].trouble in {"closed", "read_error", "connect_error"}
    assert pools[0].status().binds[0].drops >= 1


def test_logs_name_neither_secret_nor_number(
    server: SMPPServer, pools: list[Pool], caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    shelf = Shelf()
    gateway = gateway_on(pools, server, shelf=shelf)
    shelf.is_full = True
    gateway.send(text(body="Your code is 12"))
    server.receipt(server.messages[0])
    server.reply(NUMBER[1:], "12025550100", "Please stop")
    server.cut()
    pools[0].wait_until_bound(10)
    said = caplog.text + "".join(capsys.readouterr()) + repr(settings(server)) + repr(pools[0].status())
    assert "smpp." in said
    for leak in (PASSWORD, NUMBER[1:], "Your code", "Please stop"):
        assert leak not in said
