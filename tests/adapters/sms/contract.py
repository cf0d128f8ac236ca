"""Which promises does every gateway adapter keep? Inherit one of these classes and give it a `gateway`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from connector.domain.message import ErrorClass, MessageState
from connector.domain.receipt import RECEIPT_STATES, after_receipt
from connector.errors import (
    AmbiguousSendError,
    PermanentSendError,
    SendError,
    TransientSendError,
    UnanswerableError,
)
from connector.ports.gateway import AttemptQuery, Handle, OutgoingSMS, SMSGateway
from connector.ports.number_lookup import LineType, LookupAnswer, NumberLookup
from tests.adapters.sms.callback_contract import CallbackContract
from tests.adapters.sms.emulated import impatient
from tests.adapters.sms.telling_contract import TellingContract
from tests.adapters.sms.texts import BODY, NUMBER, SENDER, sms
from tests.waiting import eventually

__all__ = ["BODY", "NUMBER", "SENDER", "Break", "GatewayContract", "RemoteGatewayContract", "sms"]

BODIES = ["Hi", "€ [x] {y}", "שלום 👩‍👩‍👧‍👦 🇨🇦", "a&b=c+d%20\n\r\n;", "x" * 1000]
Break = Callable[..., None]


def can_ask(gateway: SMSGateway, *handles: Handle) -> bool:
    """Whether an attempt can be found again by one of `handles`."""
    return not gateway.capabilities.asked_by.isdisjoint(handles)


class GatewayContract(CallbackContract, TellingContract):
    """What holds for every gateway, as far as its capabilities go."""

    def now(self) -> datetime:
        """The time the gateway's other end lives in."""
        return datetime.now(UTC)

    def ask(
        self, sent: OutgoingSMS, at: datetime, provider_id: str | None = None, exclude: tuple[str, ...] = ()
    ) -> AttemptQuery:
        return AttemptQuery(
            sent.attempt_id, provider_id, sent.to, sent.sender, sent.body, at, exclude=frozenset(exclude)
        )

    def test_accepted_text_has_an_id_and_a_state_that_receipts_can_move(self, gateway: SMSGateway) -> None:
        accepted = gateway.send(sms())
        assert accepted.provider_message_id
        assert accepted.raw_status
        assert after_receipt(accepted.state, MessageState.DELIVERED) is MessageState.DELIVERED

    def test_every_attempt_gets_an_id_of_its_own(self, gateway: SMSGateway) -> None:
        ids = {gateway.send(sms(f"attempt-{number}")).provider_message_id for number in range(3)}
        assert len(ids) == 3

    # -- what is sent

    def test_longest_text_is_accepted(self, gateway: SMSGateway) -> None:
        accepted = gateway.send(sms(body="x" * gateway.capabilities.most_characters))
        assert accepted.provider_message_id

    def test_longest_text_outside_the_gsm_alphabet_is_accepted(self, gateway: SMSGateway) -> None:
        body = "✓" * gateway.capabilities.most_unicode
        assert gateway.send(replace(sms(body=body), is_unicode=True)).provider_message_id
        assert gateway.capabilities.most_unicode <= gateway.capabilities.most_characters

    def test_what_is_kept_of_an_accepted_text_fits_its_columns(self, gateway: SMSGateway) -> None:
        accepted = gateway.send(sms())
        assert len(accepted.sender or "") <= 20
        assert accepted.currency is None or len(accepted.currency) == 3
        assert all(0 < len(each) <= 255 for each in (accepted.provider_message_id, *accepted.part_ids))

    @pytest.mark.parametrize("factor", [0, 0.5, 1, 2])
    def test_validity_outside_of_what_the_gateway_takes_is_cut_to_it(self, gateway: SMSGateway, factor: float) -> None:
        for bound in gateway.capabilities.validity or (timedelta(hours=1),):
            text = replace(sms(f"attempt-{bound}"), valid_for=bound * factor)
            assert gateway.send(text).provider_message_id

    def test_ids_of_parts_begin_with_the_message_and_differ(self, gateway: SMSGateway) -> None:
        accepted = gateway.send(sms(body="x" * min(400, gateway.capabilities.most_characters)))
        if accepted.part_ids:
            assert accepted.part_ids[0] == accepted.provider_message_id
        assert len(set(accepted.part_ids)) == len(accepted.part_ids)

    # -- what is asked

    @pytest.mark.parametrize("is_id_known", [True, False])
    @pytest.mark.parametrize("body", BODIES)
    def test_what_was_sent_is_found_again_by_whatever_the_gateway_can_be_asked(
        self, gateway: SMSGateway, body: str, is_id_known: bool
    ) -> None:
        text, at = sms(body=body[: gateway.capabilities.most_characters]), self.now()
        accepted = gateway.send(text)
        query = self.ask(text, at, accepted.provider_message_id if is_id_known else None)
        if not can_ask(gateway, Handle.REFERENCE, Handle.TEXT, *([Handle.ID] if is_id_known else [])):
            with pytest.raises(UnanswerableError):
                gateway.find(query)
            return
        report = gateway.find(query)
        assert report is not None
        assert report.provider_message_id in {accepted.provider_message_id, *accepted.part_ids}
        assert report.attempt_id == text.attempt_id
        assert report.state in RECEIPT_STATES

    def test_of_two_equal_texts_our_reference_finds_each(self, gateway: SMSGateway) -> None:
        if not can_ask(gateway, Handle.REFERENCE):
            pytest.skip("does not keep our reference")
        at = self.now()
        for text in (sms("attempt-1"), sms("attempt-2")):
            accepted = gateway.send(text)
            report = gateway.find(self.ask(text, at))
            assert report is not None
            assert report.provider_message_id == accepted.provider_message_id

    def test_text_that_belongs_to_another_attempt_is_not_found_twice(self, gateway: SMSGateway) -> None:
        if gateway.capabilities.asked_by & {Handle.TEXT, Handle.REFERENCE} != {Handle.TEXT}:
            pytest.skip("is not asked by text alone")
        text, at = sms(), self.now()
        taken = gateway.send(text).provider_message_id
        assert gateway.find(self.ask(text, at, exclude=(taken,))) is None

    def test_lookup_is_there_when_promised_and_answers(self, gateway: SMSGateway) -> None:
        assert hasattr(gateway, "look_up") == gateway.capabilities.has_lookup
        if gateway.capabilities.has_lookup:
            answer = cast("NumberLookup", gateway).look_up(NUMBER)
            assert isinstance(answer, LookupAnswer)
            assert answer.line_type in LineType

    def test_many_threads_may_send_at_once(self, gateway: SMSGateway) -> None:
        texts = [sms(f"attempt-{number}", f"text {number}") for number in range(24)]
        with ThreadPoolExecutor(8) as pool:
            ids = {accepted.provider_message_id for accepted in pool.map(gateway.send, texts)}
        assert len(ids) == len(texts)

    def test_closing_twice_is_closing_once(self, gateway: SMSGateway) -> None:
        gateway.send(sms())
        gateway.close()
        gateway.close()


class RemoteGatewayContract(GatewayContract):
    """What holds for every gateway at the other end of a network that breaks.

    Fixtures to give: `break_next(kind, **options)` arms a fault of `connector.sandbox.faults` for the next send,
    `unreachable` is the gateway with nobody at the other end, `received()` counts texts that arrived, `secrets` are
    the credentials of `gateway`.
    """

    def test_refused_connection_means_that_nothing_went_out(self, unreachable: SMSGateway) -> None:
        with pytest.raises(TransientSendError) as caught:
            unreachable.send(sms())
        assert caught.value.code == "connect_error"

    @pytest.mark.parametrize(
        ("kind", "options", "arrives"),
        [
            ("reset", {}, 0),
            ("timeout", {}, 0),
            ("accept_then_timeout", {}, 1),
            ("accept_then_timeout", {"then": "reset"}, 1),
        ],
    )
    def test_lost_answer_is_ambiguous_and_asking_tells_whether_it_arrived(
        self,
        gateway: SMSGateway,
        break_next: Break,
        received: Callable[[], int],
        kind: str,
        options: dict[str, str],
        arrives: int,
    ) -> None:
        break_next(kind, **options)
        text, at = sms(), self.now()
        with impatient(gateway), pytest.raises(AmbiguousSendError):
            gateway.send(text)
        if arrives:  # the caller may have given up before a busy machine had done the work
            eventually(received, "the text arrives")
        assert received() == arrives
        if can_ask(gateway, Handle.REFERENCE, Handle.TEXT):
            assert (gateway.find(self.ask(text, at)) is not None) == bool(arrives)
        else:  # without an id nobody can tell
            with pytest.raises(UnanswerableError):
                gateway.find(self.ask(text, at))

    def test_one_send_is_one_request_even_when_it_fails(
        self, gateway: SMSGateway, break_next: Break, requests: Callable[[], int]
    ) -> None:
        break_next("reset")
        with pytest.raises(AmbiguousSendError):
            gateway.send(sms())
        assert requests() == 1

    @pytest.mark.parametrize("status", [500, 502, 504, 520])
    def test_broken_server_may_have_sent_it(self, gateway: SMSGateway, break_next: Break, status: int) -> None:
        break_next("status", status=status, body="<html>oops</html>")
        with pytest.raises(AmbiguousSendError):
            gateway.send(sms())

    def test_unavailable_server_that_says_when_to_come_back_did_not_send_it(
        self, gateway: SMSGateway, break_next: Break
    ) -> None:
        break_next("status", status=503, body="busy", headers={"Retry-After": "7"})
        with pytest.raises(TransientSendError) as caught:
            gateway.send(sms())
        assert caught.value.retry_after == timedelta(seconds=7)

    def test_bare_unavailability_may_be_a_proxy_that_had_passed_it_on(
        self, gateway: SMSGateway, break_next: Break
    ) -> None:
        break_next("status", status=503, body="upstream connect error")
        with pytest.raises(AmbiguousSendError):
            gateway.send(sms())

    def test_too_many_requests_is_throttled_and_not_sent(
        self, gateway: SMSGateway, break_next: Break, received: Callable[[], int]
    ) -> None:
        break_next("status", status=429, headers={"Retry-After": "2"})
        with pytest.raises(TransientSendError) as caught:
            gateway.send(sms())
        assert (caught.value.error_class, caught.value.retry_after) == (ErrorClass.THROTTLED, timedelta(seconds=2))
        assert received() == 0

    @pytest.mark.parametrize("body", ["", "<html>", "[]", "{}", "null", '{"status": "queued"}', '"SM1"'])
    def test_success_nobody_can_read_is_ambiguous(self, gateway: SMSGateway, break_next: Break, body: str) -> None:
        break_next("status", status=201, body=body)
        with pytest.raises(AmbiguousSendError):
            gateway.send(sms())

    def test_gateway_works_again_after_a_failure(self, gateway: SMSGateway, break_next: Break) -> None:
        break_next("reset")
        with pytest.raises(AmbiguousSendError):
            gateway.send(sms("attempt-1"))
        assert gateway.send(sms("attempt-2")).provider_message_id

    def test_being_unable_to_ask_is_an_error_and_not_an_answer(self, unreachable: SMSGateway) -> None:
        with pytest.raises(SendError) as caught:
            unreachable.find(self.ask(sms(), self.now(), "an-id"))
        assert isinstance(caught.value, UnanswerableError) != bool(unreachable.capabilities.asked_by)

    @pytest.mark.parametrize(
        "fault",
        [
            {"kind": "reset"},
            {"kind": "timeout"},
            {"kind": "status", "status": 400},
            {"kind": "status", "status": 500},
            {"kind": "status", "status": 201, "body": f"{NUMBER} {BODY}"},
            {"kind": "status", "status": 400, "body": f'{{"code": 21211, "message": "{NUMBER} is invalid"}}'},
        ],
    )
    def test_no_error_and_no_log_line_holds_a_number_a_body_or_a_secret(
        self,
        gateway: SMSGateway,
        break_next: Break,
        fault: dict[str, object],
        secrets: tuple[str, ...],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        break_next(**fault)
        failures = (PermanentSendError, TransientSendError, AmbiguousSendError)
        with impatient(gateway) if fault["kind"] == "timeout" else nullcontext(), pytest.raises(failures) as caught:
            gateway.send(sms())
        said, link = caplog.text, caught.value.__cause__
        said += f"{caught.value} {caught.value!r} {caught.value.code} {link} {link!r}"
        for leak in (NUMBER, NUMBER[1:], BODY, "callbacks/status", *secrets):
            assert leak not in said
