"""Which promises does every gateway adapter keep about the callbacks it gets? Part of `contract`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from connector.domain.message import MessageState
from connector.errors import SignatureError
from connector.ports.gateway import CallbackRequest, SMSGateway, StatusReport
from tests.adapters.sms.texts import sms

STATUS_URL = "https://sms.example.com/callbacks/status/a"


class CallbackContract:
    """What holds for the callbacks of every gateway, and for those of a gateway that has none."""

    def test_gateway_has_callbacks_exactly_when_it_says_how_they_are_verified(self, gateway: SMSGateway) -> None:
        can = gateway.capabilities
        assert bool(can.verified_by) == (can.receipts == "callback" or can.has_incoming)

    @pytest.mark.parametrize(
        "request_",
        [
            CallbackRequest("POST", STATUS_URL, {}, b"MessageSid=x"),
            CallbackRequest("POST", STATUS_URL, {"Content-Type": "application/json"}, b'{"id": "x"}'),
            CallbackRequest("POST", STATUS_URL, {"Authorization": "Bearer x"}, b"{}"),
            CallbackRequest("GET", f"{STATUS_URL}?id=x&status=delivered", {}, b""),
            CallbackRequest("GET", STATUS_URL, {}, b""),
        ],
    )
    def test_callback_nobody_signed_is_refused(self, gateway: SMSGateway, request_: CallbackRequest) -> None:
        with pytest.raises(SignatureError):
            gateway.verify(request_)

    def deliver(self, gateway: SMSGateway) -> Sequence[CallbackRequest]:
        """Let what `gateway` has sent arrive; the callbacks about it, as they came (`emulated.Receiver`)."""
        return ()

    def test_receipt_of_a_text_that_arrived_is_verified_and_finds_its_attempt(self, gateway: SMSGateway) -> None:
        text = sms()
        accepted = gateway.send(text)
        callbacks = self.deliver(gateway)
        if gateway.capabilities.receipts != "callback":
            assert not callbacks
            pytest.skip("tells nothing by callback")
        reports: list[StatusReport] = []
        for request in callbacks:
            gateway.verify(request)
            reports += gateway.read_status(request, text.attempt_id)
        if not callbacks:
            pytest.skip("no deliver() in this test class")
        assert MessageState.DELIVERED in {report.state for report in reports}
        assert {report.attempt_id for report in reports} == {text.attempt_id}
        assert {report.provider_message_id for report in reports} <= {accepted.provider_message_id, *accepted.part_ids}

    def test_receipt_alone_names_the_attempt_where_the_gateway_keeps_our_reference(self, gateway: SMSGateway) -> None:
        text = sms()
        gateway.send(text)
        callbacks = self.deliver(gateway)
        if "field" not in gateway.capabilities.reference or not callbacks:
            pytest.skip("our attempt id does not travel in a field, or nothing is told by callback")
        for request in callbacks:
            assert {report.attempt_id for report in gateway.read_status(request, None)} <= {text.attempt_id}

    def test_altered_receipt_is_refused(self, gateway: SMSGateway) -> None:
        gateway.send(sms())
        callbacks = self.deliver(gateway)
        if not callbacks:
            pytest.skip("nothing is told by callback")
        for request in callbacks:
            bare = replace(request, url=request.url.partition("?")[0], headers={}, body=b"")
            with pytest.raises(SignatureError):
                gateway.verify(bare)

    def test_half_a_surrogate_pair_and_a_nul_are_kept_out_of_the_ledger(self, gateway: SMSGateway) -> None:
        folder = Path(__file__).parent / "fixtures" / gateway.slug
        requests = [*self.deliver(gateway), *(_from_file(path) for path in sorted(folder.glob("*")))]
        for request in requests:
            for altered in (replace(request, body=_with_odd(request.body)), request):
                told_all: list[Any] = [*gateway.read_status(altered, "a"), *gateway.read_incoming(altered)]
                for told in told_all:
                    said = [value for value in asdict(told).values() if isinstance(value, str)]
                    assert not any("\0" in value for value in said)
                    assert all(value.encode() for value in said if value)

    @pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b"{", b"[]", b"null", b"a=" * 2000, b"%zz=%"])
    def test_callback_nobody_understands_says_nothing_and_breaks_nothing(
        self, gateway: SMSGateway, body: bytes
    ) -> None:
        request = CallbackRequest("POST", STATUS_URL, {}, body)
        assert list(gateway.read_status(request, "attempt-1")) == []
        assert list(gateway.read_incoming(request)) == []


ODD = "\0\ud83d"


def _from_file(path: Path) -> CallbackRequest:
    body = path.read_bytes()
    if path.suffix == ".query":
        return CallbackRequest("GET", f"{STATUS_URL}?{body.decode().strip()}%00", {}, b"")
    kind = "application/json" if path.suffix == ".json" else "application/x-www-form-urlencoded"
    return CallbackRequest("POST", STATUS_URL, {"content-type": kind}, body)


def _with_odd(body: bytes) -> bytes:
    """A callback in which the texts of people and vendors have what no UTF-8 column takes."""
    try:
        return json.dumps(_odd(json.loads(body))).encode()
    except ValueError:
        return body.replace(b"&", b"%00%ED%A0%BD&") + b"%00"


def _odd(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _odd(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_odd(each) for each in value]
    return value + ODD if isinstance(value, str) and not value.startswith(("{", "+")) else value
