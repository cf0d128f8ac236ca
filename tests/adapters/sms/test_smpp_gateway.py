from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connector.adapters.smpp.pool import Pool
from connector.adapters.smpp.receipts import ReceiptIds
from connector.adapters.sms.smpp import PLUGIN, SMPPGateway, open_gateway, open_pool
from connector.adapters.sms.smpp_codes import ERROR_CLASSES, code_of, state_of
from connector.adapters.sms.smpp_settings import SMPPOptions, options_of, pool_settings_of
from connector.adapters.sms.smpp_submits import validity_period
from connector.domain.message import MessageState
from connector.errors import (
    AmbiguousSendError,
    ConfigurationError,
    PermanentSendError,
    SignatureError,
    TransientSendError,
    UnanswerableError,
)
from connector.ports.gateway import AttemptQuery, CallbackRequest, DLTRegistration, SMSGateway
from connector.sandbox.gateways.smpp_server import PASSWORD, SMPPServer
from tests.adapters.smpp.binding import QUICK, Shelf, pool_on, values
from tests.adapters.sms.contract import NUMBER, SENDER, GatewayContract, sms

# The rest of the contract, what a broken network does to a send, speaks HTTP: tests/adapters/smpp has it for SMPP.


@pytest.fixture
def server() -> Iterator[SMPPServer]:
    with SMPPServer() as one:
        yield one


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def pool(server: SMPPServer, shelf: Shelf) -> Iterator[Pool]:
    one = pool_on(server, shelf=shelf)
    yield one
    one.close()


@pytest.fixture
def gateway(pool: Pool) -> SMPPGateway:
    return SMPPGateway(SMPPOptions(sender=SENDER), pool)


class TestSMPPGateway(GatewayContract):
    """A gateway that cannot be asked."""

    @pytest.fixture(autouse=True)
    def take_world(self, server: SMPPServer, shelf: Shelf) -> None:
        self.server, self.shelf = server, shelf

    def test_receipt_of_a_text_that_arrived_is_verified_and_finds_its_attempt(self, gateway: SMSGateway) -> None:
        """It comes over our own bind, so there is nothing to verify."""
        accepted = gateway.send(sms())
        assert self.server.receipt(self.server.messages[0]) == 0
        ((_, request),) = self.shelf.rows
        (report,) = gateway.read_status(request, None)
        assert (report.attempt_id, report.state) == (sms().attempt_id, MessageState.DELIVERED)
        assert report.provider_message_id == accepted.provider_message_id

    def test_altered_receipt_is_refused(self, gateway: SMSGateway) -> None:
        """So is one that was not altered: nothing of this gateway comes over HTTP."""
        gateway.send(sms())
        self.server.receipt(self.server.messages[0])
        for _, request in self.shelf.rows:
            with pytest.raises(SignatureError):
                gateway.verify(request)


class TestSMPPGatewayThatAnswersQueries(TestSMPPGateway):
    @pytest.fixture
    def gateway(self, pool: Pool) -> SMPPGateway:
        return SMPPGateway(SMPPOptions(sender=SENDER, may_query=True), pool)


def ask(provider_id: str | None) -> AttemptQuery:
    return AttemptQuery("attempt-1", provider_id, NUMBER, SENDER, "Hi", datetime(2026, 11, 21, tzinfo=UTC))


# -- what is sent


def test_submit_says_from_whom_to_whom_until_when_and_asks_for_a_receipt(
    gateway: SMPPGateway, server: SMPPServer
) -> None:
    accepted = gateway.send(sms(body="Hi"))
    (message,) = server.messages
    assert (message.source, message.source_kind) == (SENDER[1:], (1, 1))
    assert (message.destination, message.destination_kind) == (NUMBER[1:], (1, 1))
    assert (message.text, message.data_coding, message.esm_class) == ("Hi", 0, 0)
    assert (message.validity_period, message.registered_delivery) == ("000000010000000R", 1)
    assert (accepted.provider_message_id, accepted.sender, accepted.segments) == (message.id, SENDER, 1)
    assert (accepted.state, accepted.part_ids, accepted.price) == (MessageState.ACCEPTED, (), None)


@pytest.mark.parametrize(
    ("sender", "source", "kind"),
    [
        ("+447700900461", "447700900461", (1, 1)),
        ("12345", "12345", (3, 0)),
        ("ACME", "ACME", (5, 0)),
        ("Acme 24-7", "Acme 24-7", (5, 0)),
    ],
)
def test_sender_goes_with_its_kind(
    gateway: SMPPGateway, server: SMPPServer, sender: str, source: str, kind: tuple[int, int]
) -> None:
    assert gateway.send(sms(sender=sender)).sender == sender
    assert (server.messages[0].source, server.messages[0].source_kind) == (source, kind)


def test_without_any_sender_the_gateway_chooses(pool: Pool, server: SMPPServer) -> None:
    assert SMPPGateway(SMPPOptions(), pool).send(sms()).sender is None
    assert (server.messages[0].source, server.messages[0].source_kind) == ("", (0, 0))


@pytest.mark.parametrize("sender", ["Twelve chars", "אקמה", "A\0B"])
def test_sender_no_handset_can_show_is_refused_before_anything_leaves(
    gateway: SMPPGateway, server: SMPPServer, sender: str
) -> None:
    with pytest.raises(PermanentSendError) as caught:
        gateway.send(sms(sender=sender))
    assert caught.value.error_class == "sender_or_registration"
    assert server.calls["submit_sm"] == 0


def test_text_of_more_parts_than_there_can_be_is_refused_before_anything_leaves(
    gateway: SMPPGateway, server: SMPPServer
) -> None:
    with pytest.raises(PermanentSendError) as caught:
        gateway.send(sms(body="ש" * 17_086))
    assert caught.value.error_class == "permanent_content"
    assert server.calls["submit_sm"] == 0


def test_indian_registration_travels_in_optional_parameters(gateway: SMPPGateway, server: SMPPServer) -> None:
    gateway.send(replace(sms(), dlt=DLTRegistration("1001234567890123456", "1007654321098765432")))
    assert server.messages[0].tlvs == {0x1400: b"1001234567890123456", 0x1401: b"1007654321098765432"}


@pytest.mark.parametrize(
    ("valid_for", "period"),
    [
        (None, ""),
        (timedelta(minutes=10), "000000001000000R"),
        (timedelta(days=2, hours=3, seconds=4), "000002030004000R"),
        (timedelta(milliseconds=5), "000000000001000R"),
        (timedelta(days=90), "000007000000000R"),
    ],
)
def test_validity_is_written_as_smpp_has_it(valid_for: timedelta | None, period: str) -> None:
    assert validity_period(valid_for) == period


# -- long texts


def test_parts_of_a_long_text_share_a_reference_and_have_an_id_each(gateway: SMPPGateway, server: SMPPServer) -> None:
    body = "Hé € " * 80
    accepted = gateway.send(sms(body=body))
    assert accepted.part_ids == tuple(message.id for message in server.messages)
    assert (accepted.segments, accepted.provider_message_id) == (len(server.messages), server.messages[0].id)
    assert server.texts(NUMBER[1:]) == [body]
    assert len({message.header[3] for message in server.messages}) == 1
    gateway.send(sms("attempt-2", body))
    assert len({message.header[3] for message in server.messages}) == 2


def test_part_that_is_throttled_is_sent_after_a_pause(gateway: SMPPGateway, server: SMPPServer) -> None:
    server.arm("pass")
    server.arm("refuse", times=2, status=0x58)
    body = "x" * 400
    assert len(gateway.send(sms(body=body)).part_ids) == 3
    assert server.texts() == [body]
    assert server.calls["submit_sm"] == 5


def test_part_that_found_no_bind_is_sent_over_the_next_one(server: SMPPServer) -> None:
    server.arm("unbind")
    pool = pool_on(server, timing=replace(QUICK, leave=0.1))
    body = "x" * 400
    assert len(SMPPGateway(SMPPOptions(), pool).send(sms(body=body)).part_ids) == 3
    pool.close()
    assert server.texts() == [body]
    assert server.calls["bind_transceiver"] == 2


@pytest.mark.parametrize(("kind", "status"), [("refuse", 0x0B), ("drop_after", 0), ("garble", 0), ("refuse", 0x0D)])
def test_long_text_of_which_only_some_parts_are_out_is_ambiguous(
    gateway: SMPPGateway, server: SMPPServer, kind: str, status: int
) -> None:
    server.arm("pass")
    server.arm(kind, status=status)
    with pytest.raises(AmbiguousSendError):
        gateway.send(sms(body="x" * 400))


def test_long_text_whose_first_part_is_refused_is_not_out(gateway: SMPPGateway, server: SMPPServer) -> None:
    server.arm("refuse", status=0x0B)
    with pytest.raises(PermanentSendError):
        gateway.send(sms(body="x" * 400))
    assert server.calls["submit_sm"] == 1


def test_parts_that_never_get_through_leave_the_text_open_in_the_end(server: SMPPServer) -> None:
    server.arm("pass")
    server.arm("refuse", times=1000, status=0x14)
    pool = pool_on(server, timing=replace(QUICK, parts=0.2))
    with pytest.raises(AmbiguousSendError) as caught:
        SMPPGateway(SMPPOptions(), pool).send(sms(body="x" * 400))
    assert caught.value.error_class == "throttled"
    pool.close()


# -- what is asked


def test_gateway_is_asked_by_id_where_it_answers(pool: Pool, server: SMPPServer) -> None:
    gateway = SMPPGateway(SMPPOptions(sender=SENDER, may_query=True), pool)
    accepted = gateway.send(sms())
    report = gateway.find(ask(accepted.provider_message_id))
    assert report is not None
    assert (report.state, report.raw_status) == (MessageState.SENT, "ENROUTE")
    for provider_id in ("DEADBEEF", "x" * 70):
        with pytest.raises((PermanentSendError, UnanswerableError)):
            gateway.find(ask(provider_id))
    with pytest.raises(UnanswerableError):
        gateway.find(ask(None))


# -- processes without binds


def test_process_without_binds_sends_nothing_and_says_which_one_would() -> None:
    gateway = PLUGIN.build(values("127.0.0.1:2775"))
    with pytest.raises(TransientSendError, match="smsctl smpp") as caught:
        gateway.send(sms())
    assert caught.value.retry_after == timedelta(seconds=60)
    with pytest.raises(UnanswerableError):
        gateway.find(ask("1"))
    with pytest.raises(TransientSendError):
        PLUGIN.build(values("127.0.0.1:2775", SMPP_QUERY="yes")).find(ask("1"))
    gateway.close()


def test_process_without_binds_reads_what_the_one_with_binds_has_stored(server: SMPPServer) -> None:
    shelf = Shelf()
    given = values(server.address, SMPP_FROM="ACME", SMPP_BINDS="2", SMPP_WINDOW="5")
    sending, reading = open_gateway(given, shelf.take), PLUGIN.build(given)
    sending.send(sms())
    assert server.receipt(server.messages[0]) == 0
    assert server.reply(NUMBER[1:], "12025550100", "Thanks") == [0]
    assert sending.pool is not None
    assert sending.pool.status().stored == 2
    sending.close()
    by_kind = dict(shelf.rows)
    (report,) = reading.read_status(by_kind["status"], None)
    (reply,) = reading.read_incoming(by_kind["inbound"])
    assert (report.attempt_id, report.state) == ("attempt-1", MessageState.DELIVERED)
    assert (reply.from_, reply.body) == (NUMBER, "Thanks")
    assert reading.read_incoming(by_kind["status"]) == ()
    assert reading.read_status(by_kind["inbound"], None) == ()


def test_after_a_restart_the_setting_tells_how_receipts_write_ids(server: SMPPServer) -> None:
    given = values(server.address, SMPP_RECEIPT_IDS="decimal")
    before, after = Shelf(), Shelf()
    gateway = open_gateway(given, before.take)
    accepted = gateway.send(sms())
    gateway.close()
    pool = open_pool(given, after.take)  # knows nothing of what was sent
    assert pool.wait_until_bound(10)
    server.receipt(server.messages[0], as_id=str(int(server.messages[0].id, 16)))
    pool.close()
    (report,) = after.reports(SMPPGateway(options_of(given)))
    assert (report.provider_message_id, report.attempt_id) == (accepted.provider_message_id, None)


@pytest.mark.parametrize("body", [b'{"deliver_sm": "00"}', b'{"deliver_sm": "zz"}', b'{"deliver_sm": 7}', b'["a"]'])
def test_row_nobody_can_read_says_nothing(body: bytes) -> None:
    gateway, request = SMPPGateway(SMPPOptions()), CallbackRequest("SMPP", "smpp:deliver_sm", {}, body)
    assert (gateway.read_status(request, None), gateway.read_incoming(request)) == ((), ())


# -- words and codes


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("DELIVRD", "delivered"),
        ("delivered", "delivered"),
        ("UNDELIV", "undelivered"),
        ("UNDELIVERABLE", "undelivered"),
        ("EXPIRED", "expired"),
        ("ACCEPTD", "sent"),
        ("ENROUTE", "sent"),
        ("SCHEDLD", "accepted"),
        ("REJECTD", "failed"),
        ("DELETED", "failed"),
        ("UNKNOWN", "unknown"),
        ("SKIPPED", "unknown"),
        ("STATE 42", "unknown"),
        ("", "unknown"),
    ],
)
def test_states_mean_what_the_table_says(word: str, state: str) -> None:
    assert state_of(word) == state


def test_every_code_is_written_as_answers_write_it() -> None:
    assert all(code == code_of(int(code, 16)) for code in ERROR_CLASSES)


# -- how it is configured


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"SMPP_HOSTS": "smsc.example.net"}, "SMPP_HOSTS"),
        ({"SMPP_HOSTS": "smsc.example.net:0"}, "SMPP_HOSTS"),
        ({"SMPP_HOSTS": "smsc.example.net:99999"}, "SMPP_HOSTS"),
        ({"SMPP_SYSTEM_ID": "x" * 16}, "SMPP_SYSTEM_ID"),
        ({"SMPP_PASSWORD": "סוד"}, "SMPP_PASSWORD"),
        ({"SMPP_SYSTEM_TYPE": "x" * 13}, "SMPP_SYSTEM_TYPE"),
        ({"SMPP_BINDS": "0"}, "SMPP_BINDS"),
        ({"SMPP_WINDOW": "many"}, "SMPP_WINDOW"),
        ({"SMPP_ENQUIRE_SECONDS": "-1"}, "SMPP_ENQUIRE_SECONDS"),
        ({"SMPP_TLS": "maybe"}, "SMPP_TLS"),
        ({"SMPP_TLS": "yes", "SMPP_TLS_CA": "/nowhere.pem"}, "SMPP_TLS_CA"),
        ({"SMPP_ALPHABET": "ebcdic"}, "SMPP_ALPHABET"),
        ({"SMPP_RECEIPT_IDS": "octal"}, "SMPP_RECEIPT_IDS"),
        ({"SMPP_QUERY": "yes", "SMPP_RECEIPT_IDS": "hex"}, "SMPP_QUERY"),
        ({"SMPP_PE_TLV": "pe"}, "SMPP_PE_TLV"),
        ({"SMPP_TEMPLATE_TLV": "0x10000"}, "SMPP_TEMPLATE_TLV"),
    ],
)
def test_wrong_setting_is_named_and_its_value_is_not_when_secret(changes: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named) as caught:
        PLUGIN.build(values("127.0.0.1:2775") | changes)
    assert PASSWORD not in str(caught.value)
    assert "סוד" not in str(caught.value)


def test_settings_reach_the_binds() -> None:
    given = values("a.example:2775", " [::1]:2776", SMPP_BINDS="3", SMPP_WINDOW="50", SMPP_ENQUIRE_SECONDS="60")
    settings = pool_settings_of(given | {"SMPP_TLS": "yes", "SMPP_RECEIPT_IDS": "hex"})
    assert [str(endpoint) for endpoint in settings.endpoints] == ["a.example:2775", "[::1]:2776"]
    assert (settings.binds, settings.window, settings.timing.enquire) == (3, 50, 60.0)
    assert settings.tls is not None
    assert settings.receipt_ids is ReceiptIds.HEX


def test_binds_need_a_host() -> None:
    with pytest.raises(ConfigurationError, match="SMPP_HOSTS"):
        open_pool(values(), Shelf().take)
