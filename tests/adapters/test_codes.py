"""Is a code always the same for its name, nobody else's guess, and safe from a change of secrets?"""

from __future__ import annotations

import pytest

from connector.adapters.codes import HMACCodes

OLD, NEW = "o" * 32, "n" * 32


@pytest.mark.parametrize("length", [4, 6, 8, 10])
def test_a_code_has_the_digits_it_was_asked_for_and_is_the_same_every_time(length: int) -> None:
    code = HMACCodes([NEW]).code("enrollment-1:steps[0]", length)
    assert code == HMACCodes([NEW]).code("enrollment-1:steps[0]", length)
    assert len(code) == length
    assert code.isdigit()


def test_codes_of_other_names_lengths_and_secrets_have_nothing_in_common() -> None:
    codes = HMACCodes([NEW])
    assert len({codes.code(f"enrollment-{number}:steps[0]", 6) for number in range(1000)}) > 990
    assert not codes.code("a", 8).endswith(codes.code("a", 4))
    assert codes.code("a", 8) != HMACCodes([OLD]).code("a", 8)


def test_every_digit_is_as_likely_as_any_other_leading_noughts_included() -> None:
    codes = [HMACCodes([NEW]).code(f"name {number}", 4) for number in range(2000)]
    for digit in "0123456789":
        assert 120 < sum(code[0] == digit for code in codes) < 280


def test_a_code_made_before_a_new_secret_came_is_known_by_the_secret_it_was_made_with() -> None:
    before, after = HMACCodes([OLD]), HMACCodes([NEW, OLD])
    assert after.newest != before.newest
    assert after.code("a", 6, before.newest) == before.code("a", 6)
    assert after.code("a", 6) == HMACCodes([NEW]).code("a", 6)


def test_a_code_dies_with_its_secret() -> None:
    before = HMACCodes([OLD])
    assert HMACCodes([NEW]).code("a", 6, before.newest) == HMACCodes([NEW]).code("a", 6) != before.code("a", 6)


def test_the_id_of_a_secret_tells_nothing_of_it() -> None:
    assert OLD not in HMACCodes([OLD]).newest
    assert len(HMACCodes([OLD]).newest) == 8
