from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.adapters.smpp.pdu import (
    MESSAGE_PAYLOAD,
    Address,
    Login,
    MalformedBodyError,
    ShortMessage,
    encode_tlvs,
    query,
    read_fate,
    read_message_id,
    read_short_message,
)
from connector.sandbox.gateways import smpp_wire

OCTET = st.integers(0, 255)


def c_strings(most: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=most)


ADDRESSES = st.builds(Address, c_strings(20), OCTET, OCTET)
TLVS = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=4).map(tuple)
MESSAGES = st.builds(
    ShortMessage,
    ADDRESSES,
    ADDRESSES,
    short_message=st.binary(max_size=254),
    data_coding=OCTET,
    esm_class=OCTET,
    registered_delivery=OCTET,
    validity_period=c_strings(16),
    schedule_time=c_strings(16),
    service_type=c_strings(5),
    protocol_id=OCTET,
    priority=OCTET,
    replace_if_present=OCTET,
    default_message_id=OCTET,
    tlvs=TLVS,
)
PLAIN = ShortMessage(Address("12025550100", 1, 1), Address("12025550143", 1, 1), b"Hi")


@given(message=MESSAGES)
def test_message_is_read_as_it_was_written(message: ShortMessage) -> None:
    assert read_short_message(message.encoded()) == message


@given(body=st.binary(max_size=400))
def test_noise_is_a_message_or_malformed_and_nothing_else(body: bytes) -> None:
    try:
        message = read_short_message(body)
    except MalformedBodyError:
        return
    assert body.startswith(message.encoded())


@given(message=MESSAGES, cut=st.integers(1, 60))
def test_damaged_optional_parameter_costs_itself_and_not_the_text(message: ShortMessage, cut: int) -> None:
    tail = encode_tlvs([(0x1400, b"x" * 60)])[:-cut]
    assert read_short_message(message.encoded() + tail) == message


@given(message=MESSAGES)
def test_what_is_cut_off_within_its_mandatory_fields_is_malformed(message: ShortMessage) -> None:
    mandatory = message.encoded()[: -len(encode_tlvs(message.tlvs)) or None]
    with pytest.raises(MalformedBodyError):
        read_short_message(mandatory[:-1])


def test_sandbox_reads_what_we_write_although_it_was_written_apart() -> None:
    message = smpp_wire.read_submit(PLAIN.encoded(), lambda: "1")
    assert (message.source, message.destination, message.text) == ("12025550100", "12025550143", "Hi")


def test_we_read_what_the_sandbox_writes() -> None:
    body = smpp_wire.deliver("12025550143", "12025550100", b"Yes", tlvs={0x020C: b"\0\x01"})
    message = read_short_message(body)
    assert (message.source.number, message.user_data, message.tlvs) == ("12025550143", b"Yes", ((0x020C, b"\0\x01"),))


def test_long_text_may_travel_as_an_optional_parameter() -> None:
    message = ShortMessage(Address("1"), Address("2"), tlvs=((MESSAGE_PAYLOAD, b"x" * 300),))
    assert read_short_message(message.encoded()).user_data == b"x" * 300


@pytest.mark.parametrize(
    "message",
    [
        ShortMessage(Address("1" * 21), Address("2")),
        ShortMessage(Address("1\0"), Address("2")),
        ShortMessage(Address("ש"), Address("2")),
        ShortMessage(Address("1"), Address("2"), short_message=b"x" * 255),
        ShortMessage(Address("1"), Address("2"), validity_period="0" * 17),
    ],
)
def test_what_smpp_cannot_carry_is_not_written(message: ShortMessage) -> None:
    with pytest.raises(MalformedBodyError):
        message.encoded()


def test_bind_says_who_and_which_version() -> None:
    assert Login("acme", "s3cret", "VMA").encoded() == b"acme\0s3cret\0VMA\0\x34\0\0\0"


@pytest.mark.parametrize("body", [b"", b"\0", b"abc", b"x" * 65 + b"\0"])
def test_answer_without_an_id_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedBodyError):
        read_message_id(body)


def test_answer_gives_the_id() -> None:
    assert read_message_id(b"3A7F0001\0") == "3A7F0001"


def test_question_and_answer_about_a_fate() -> None:
    assert query("3A7F0001", Address("12025550100", 1, 1)) == b"3A7F0001\0\x01\x0112025550100\0"
    fate = read_fate(b"3A7F0001\x00\x00\x05\x21")
    assert (fate.message_id, fate.state, fate.error) == ("3A7F0001", 5, 33)


def test_no_number_and_no_password_in_a_repr() -> None:
    assert "2025550143" not in repr(PLAIN)
    assert "s3cret" not in repr(Login("acme", "s3cret"))
