from __future__ import annotations

import pytest

from connector.adapters.smpp.issued import Issued, IssuedIds
from connector.adapters.smpp.pdu import Address, ShortMessage
from connector.adapters.smpp.receipts import Receipt, ReceiptIds, is_receipt, read_receipt, same_id

TEXT = "id:3A7F0001 sub:001 dlvrd:001 submit date:2611210900 done date:2611210901 stat:DELIVRD err:000 text:Your ta"


def delivered(text: str = "", esm_class: int = 0x04, tlvs: tuple[tuple[int, bytes], ...] = ()) -> ShortMessage:
    return ShortMessage(Address("12025550143"), Address("ACME"), text.encode("latin-1"), 0, esm_class, tlvs=tlvs)


@pytest.mark.parametrize(
    ("text", "receipt"),
    [
        (TEXT, Receipt("3A7F0001", "DELIVRD")),
        (TEXT.replace("id:", "Id: ").replace("stat:", "Stat: ").lower(), Receipt("3a7f0001", "DELIVRD")),
        (TEXT.replace("DELIVRD err:000", "UNDELIV err:01B"), Receipt("3A7F0001", "UNDELIV", "01B")),
        ("id:123 stat:EXPIRED", Receipt("123", "EXPIRED")),
        ("id:a1b2c3-d4_e5 sub: dlvrd: stat:REJECTD err:21", Receipt("a1b2c3-d4_e5", "REJECTD", "21")),
        ("stat:DELIVRD err:0 id:77", Receipt("77", "DELIVRD")),
        ("id:9 stat:ON HOLD", Receipt("9", "ON")),
        ("id:9", Receipt("9", "")),
        ("id:9 err:7 text:stat:DELIVRD id:8", Receipt("9", "", "7")),  # what a person wrote says nothing
        ("stat:DELIVRD", None),
        ("", None),
        ("\xff\x00", None),
    ],
)
def test_text_form_is_read_as_vendors_vary_it(text: str, receipt: Receipt | None) -> None:
    assert read_receipt(delivered(text)) == receipt


def test_parameters_go_before_the_text() -> None:
    tlvs = ((0x001E, b"00C0FFEE\0"), (0x0427, b"\x05"), (0x0423, b"\x03\x01\x02"))
    assert read_receipt(delivered(TEXT, tlvs=tlvs)) == Receipt("00C0FFEE", "UNDELIV", "258")


def test_parameters_and_text_may_each_say_a_part() -> None:
    assert read_receipt(delivered(TEXT, tlvs=((0x001E, b"00C0FFEE\0"),))) == Receipt("00C0FFEE", "DELIVRD")
    assert read_receipt(delivered(TEXT, tlvs=((0x0427, b"\x03"),))) == Receipt("3A7F0001", "EXPIRED")


@pytest.mark.parametrize("tlvs", [((0x0427, b"\x2a"), (0x001E, b"1")), ((0x0427, b""), (0x001E, b"1"))])
def test_state_nobody_knows_is_kept_as_it_is(tlvs: tuple[tuple[int, bytes], ...]) -> None:
    receipt = read_receipt(delivered(tlvs=tlvs))
    assert receipt is not None
    assert receipt.stat in {"STATE 42", ""}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (delivered(TEXT, 0x04), True),
        (delivered(TEXT, 0x20), True),  # an intermediate notification
        (delivered(TEXT, 0x44), True),
        (delivered("Yes", 0x00), False),
        (delivered("Yes", 0x40), False),
        (delivered("id:1 stat:DELIVRD", 0x00), False),  # anybody can write that
        (delivered("", 0x00, ((0x001E, b"1\0"), (0x0427, b"\x02"))), True),
        (delivered("Yes", 0x00, ((0x001E, b"1\0"),)), False),
    ],
)
def test_receipts_are_told_from_texts(message: ShortMessage, expected: bool) -> None:
    assert is_receipt(message) is expected


# -- ids


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("3A7F0001", "3a7f0001", True),
        ("3A7F0001", "981401601", True),  # 0x3A7F0001
        ("3A7F0001", "0981401601", True),
        ("981401601", "3A7F0001", True),
        ("0000123456", "123456", True),
        ("0x1F", "1f", True),
        ("0123456789abcdef", "0123456789ab", True),  # cut off
        ("0123456789abcdef", "89abcdef", True),
        ("0123456789abcdef", "cdef", False),  # too little is left of it
        ("3A7F0001", "3A7F0002", False),
        ("abc-1", "abc-2", False),
        ("0", "1", False),
        ("16", "10", False),  # too short to tell a base
        ("1000000", "f4240", False),
        ("10000000", "989680", True),
        ("", "1", False),
    ],
)
def test_ids_are_the_same_in_either_base(one: str, other: str, expected: bool) -> None:
    assert same_id(one, other) is expected


@pytest.mark.parametrize(
    ("ids", "answer", "receipt"),
    [
        (ReceiptIds.SAME, "3A7F0001", "3A7F0001"),
        (ReceiptIds.DECIMAL, "3A7F0001", "0981401601"),
        (ReceiptIds.HEX, "0981401601", "3a7f0001"),
        (ReceiptIds.DECIMAL, "no-number", "no-number"),
    ],
)
def test_setting_makes_both_forms_one(ids: ReceiptIds, answer: str, receipt: str) -> None:
    assert ids.of_answer(answer) == ids.of_receipt(receipt)


def test_id_is_looked_for_among_those_given_for_the_number() -> None:
    issued = IssuedIds()
    issued.note("12025550143", Issued("3A7F0001", "attempt-1"))
    issued.note("12025550144", Issued("3A7F0002", "attempt-2"))
    found = issued.find("12025550143", "981401601")
    assert found is not None
    assert (found.message_id, found.attempt_id) == ("3A7F0001", "attempt-1")
    assert issued.find("+12025550143", "3A7F0001") == found
    assert issued.find("12025550143", "981401602") is None
    assert issued.find("12025550145", "3A7F0001") is None


def test_exact_id_goes_before_one_that_could_be_it_in_another_base() -> None:
    issued = IssuedIds()
    for message_id in ("100000", "1048576"):  # 0x100000 is 1048576
        issued.note("12025550143", Issued(message_id, f"attempt-{message_id}"))
    found = issued.find("12025550143", "1048576")
    assert found is not None
    assert found.attempt_id == "attempt-1048576"
    assert issued.find("12025550143", "01048576") is None  # either


def test_memory_of_ids_is_bounded() -> None:
    issued = IssuedIds(most_numbers=2)
    for number in ("12025550141", "12025550142", "12025550143"):
        issued.note(number, Issued("1", "a"))
    assert issued.find("12025550141", "1") is None
    assert issued.find("12025550143", "1") is not None
