from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.adapters.smpp.frames import Command, Frame, FrameCutter, LostStreamError, answer_to, next_sequence

WORDS = st.integers(0, 0xFFFFFFFF)
FRAMES = st.lists(st.builds(Frame, WORDS, WORDS, WORDS, st.binary(max_size=300)), max_size=5)


@given(frames=FRAMES, step=st.integers(1, 40))
def test_messages_come_out_as_they_went_in_however_they_are_chopped(frames: list[Frame], step: int) -> None:
    octets = b"".join(frame.encoded() for frame in frames)
    cutter, found = FrameCutter(), []
    for start in range(0, len(octets), step):
        found += cutter.feed(octets[start : start + step])
    assert found == frames


@given(octets=st.binary(max_size=200))
def test_noise_gives_messages_or_says_that_the_stream_is_lost(octets: bytes) -> None:
    try:
        frames = FrameCutter().feed(octets)
    except LostStreamError:
        assert len(octets) >= 16
    else:
        assert sum(16 + len(frame.body) for frame in frames if frame.is_whole) <= len(octets)


@pytest.mark.parametrize("length", [70_001, 1_048_576])
def test_message_that_is_too_long_is_passed_over_and_the_next_one_read(length: int) -> None:
    long = struct.pack(">IIII", length, Command.DELIVER_SM, 0, 7) + b"x" * (length - 16)
    after = Frame(Command.ENQUIRE_LINK, 0, 8)
    cutter = FrameCutter()
    found = cutter.feed(long[:100]) + cutter.feed(long[100:] + after.encoded()[:5]) + cutter.feed(after.encoded()[5:])
    assert found == [Frame(Command.DELIVER_SM, 0, 7, is_whole=False), after]


@pytest.mark.parametrize("length", [0, 15, 1_048_577, 0xFFFFFFFF])
def test_length_that_cannot_be_one_loses_the_stream(length: int) -> None:
    with pytest.raises(LostStreamError):
        FrameCutter().feed(struct.pack(">IIII", length, 0, 0, 0))


def test_answer_has_the_number_of_its_request_and_the_answering_bit() -> None:
    answer = answer_to(Frame(Command.DELIVER_SM, 0, 41), 0x64, b"\0")
    assert (answer.command, answer.status, answer.sequence, answer.is_answer) == (0x80000005, 0x64, 41, True)


def test_numbers_begin_again_at_one() -> None:
    assert [next_sequence(number) for number in (0, 1, 0x7FFFFFFE, 0x7FFFFFFF)] == [1, 2, 0x7FFFFFFF, 1]


def test_repr_of_a_message_does_not_show_what_it_says() -> None:
    assert "secret" not in repr(Frame(Command.SUBMIT_SM, 0, 1, b"secret"))
