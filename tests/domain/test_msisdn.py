"""Phone numbers as people type them."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.msisdn import MSISDN, NumberKind, masked, normalise, time_zones
from connector.errors import ConnectorError, InvalidNumberError

WASHINGTON = "+12025550143"
LONDON_MOBILE = "+447700900123"


@pytest.mark.parametrize(
    ("raw", "regions", "e164"),
    [
        ("+12025550143", [], WASHINGTON),
        (" (202) 555-0143 ", ["US"], WASHINGTON),
        ("202.555.0143", ["us"], WASHINGTON),
        ("1-202-555-0143", ["US"], WASHINGTON),
        ("tel:+1-202-555-0143", [], WASHINGTON),
        ("TEL: +1 202 555 0143", [], WASHINGTON),
        ("tel:202-555-0143;phone-context=+1", [], WASHINGTON),
        ("sms:+12025550143", [], WASHINGTON),
        ("\uff0b\uff11\uff12\uff10\uff12 555 0143", [], WASHINGTON),
        ("\u202d+1 202\u00a0555\u20110143\u202c", [], WASHINGTON),
        ("001 202 555 0143", ["GB"], WASHINGTON),
        ("001 202 555 0143", [], WASHINGTON),
        ("00 44 7700 900123", ["US"], LONDON_MOBILE),
        ("011 44 7700 900123", ["US"], LONDON_MOBILE),
        ("07700 900123", ["GB"], LONDON_MOBILE),
        ("+44 (0)7700 900123", [], LONDON_MOBILE),
        ("07700 900123", ["US", "GB"], LONDON_MOBILE),
        ("447700900123", ["GB"], LONDON_MOBILE),
        ("06 39 98 12 34", ["FR"], "+33639981234"),
        ("020 912 3456", ["IE"], "+353209123456"),
        ("0491 570 156", ["AU"], "+61491570156"),
    ],
)
def test_what_people_type_becomes_one_number(raw: str, regions: list[str], e164: str) -> None:
    assert normalise(raw, regions).e164 == e164


def test_the_contacts_region_is_tried_before_the_accounts() -> None:
    assert normalise("020 7946 0123", ["GB", "IE"]).region == "GB"
    assert normalise("020 912 3456", ["IE", "GB"]).region == "IE"


@pytest.mark.parametrize(
    ("raw", "regions", "reason"),
    [
        ("", ["US"], "there is no number"),
        (" tel: ", ["US"], "there is no number"),
        ("(202) 555-0143 x12", ["US"], "extension"),
        ("+1 202 555 0143 ext. 7", [], "extension"),
        ("tel:+1-202-555-0143;ext=7", [], "extension"),
        ("1-800-FLOWERS", ["US"], "letters"),
        ("call 202 555 0143", ["US"], "letters"),
        ("n/a", ["US"], "letters"),
        ("+1 202 555 0143 & more: 5", ["US"], "letters"),
        ("202 555 0143 & 202 555 0144", ["US"], "several numbers"),
        ("202 555 0143", [], "no country code"),
        ("202 555 0143", ["XX"], "no country code"),
        ("---", ["US"], "no country code"),
        ("555 0143", ["US"], "lacks its area code"),
        ("+1 202 555 014", [], "too few digits"),
        ("+1 202 555 0143 99", [], "too many digits"),
        ("+999 12345678", [], "no country code"),
        ("+1 202 155 0143", [], "not in use"),
        ("911", ["US"], "too few digits"),
        ("+1 900 555 0123", [], "takes no SMS: premium"),
        ("+61 1300 975 707", [], "takes no SMS: shared_cost"),
    ],
)
def test_a_number_that_cannot_get_a_text_is_refused_with_its_reason(raw: str, regions: list[str], reason: str) -> None:
    with pytest.raises(InvalidNumberError, match=reason) as refused:
        normalise(raw, regions)
    assert isinstance(refused.value, ConnectorError)
    assert not any(char.isdigit() for char in str(refused.value))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (WASHINGTON, MSISDN(WASHINGTON, "US", NumberKind.FIXED_OR_MOBILE)),
        (LONDON_MOBILE, MSISDN(LONDON_MOBILE, "GB", NumberKind.MOBILE)),
        ("+441632960123", MSISDN("+441632960123", "GB", NumberKind.FIXED_LINE)),
        ("+33639981234", MSISDN("+33639981234", "FR", NumberKind.MOBILE)),
        ("+353209123456", MSISDN("+353209123456", "IE", NumberKind.FIXED_LINE)),
        ("+14165550123", MSISDN("+14165550123", "CA", NumberKind.FIXED_OR_MOBILE)),
        ("+61491570156", MSISDN("+61491570156", "AU", NumberKind.MOBILE)),
        ("+18005550199", MSISDN("+18005550199", "US", NumberKind.TOLL_FREE)),
        ("+15005550006", MSISDN("+15005550006", "US", NumberKind.PERSONAL)),
    ],
)
def test_a_number_knows_its_country_and_kind(raw: str, expected: MSISDN) -> None:
    found = normalise(raw, [])
    assert found == expected
    assert found.may_receive_sms


def test_only_kinds_that_never_take_a_text_are_ruled_out() -> None:
    assert {kind for kind in NumberKind if not kind.may_receive_sms} == {
        NumberKind.PREMIUM,
        NumberKind.SHARED_COST,
        NumberKind.PAGER,
        NumberKind.COMPANY,
        NumberKind.VOICEMAIL,
    }


def test_every_kind_the_number_plans_tell_apart_has_a_word_here() -> None:
    from connector.domain.msisdn import _KINDS  # noqa: PLC0415 the table itself is looked at only here

    plan_kinds = set(phonenumbers.PhoneNumberType.values())
    assert plan_kinds - set(_KINDS) == {phonenumbers.PhoneNumberType.UNKNOWN}


@pytest.mark.parametrize(
    ("e164", "zones"),
    [
        (WASHINGTON, ("America/New_York",)),
        (LONDON_MOBILE, ("Europe/London",)),
        ("+33639981234", ("Europe/Paris",)),
        ("+353209123456", ("Europe/Dublin",)),
        ("+999", ()),
        ("+80012345678", ()),
    ],
)
def test_a_number_tells_the_zones_it_can_be_in(e164: str, zones: tuple[str, ...]) -> None:
    assert time_zones(e164) == zones


def test_a_number_without_a_place_can_be_in_many_zones() -> None:
    zones = time_zones("+18005550199")
    assert {"America/New_York", "Pacific/Honolulu"} <= set(zones)


@pytest.mark.parametrize(
    ("e164", "shown"),
    [(WASHINGTON, "+1********43"), (LONDON_MOBILE, "+44********23"), ("+353209123456", "+353*******56"), ("12", "**")],
)
def test_a_masked_number_shows_its_country_and_last_two_digits(e164: str, shown: str) -> None:
    assert masked(e164) == shown


reserved = st.one_of(
    st.builds("+1{}55501{:02d}".format, st.sampled_from(["202", "212", "415", "416", "787"]), st.integers(0, 99)),
    st.builds("+447700900{:03d}".format, st.integers(0, 999)),
    st.builds("+3363998{:04d}".format, st.integers(0, 9999)),
    st.builds("+3532091{:05d}".format, st.integers(0, 99_999)),
    st.builds("+61491570{:03d}".format, st.sampled_from([6, 156, 157, 158, 159, 313, 737, 266, 491, 804])),
)


@given(reserved)
def test_normalising_a_normal_number_changes_nothing(e164: str) -> None:
    first = normalise(e164, [])
    assert first.e164 == e164
    assert normalise(first.e164, ["JP", "BR"]) == first


@given(reserved, st.sampled_from([0, 1, 2, 3]), st.data())  # E.164, international, national, RFC 3966
def test_every_way_to_write_a_number_comes_back_as_the_number(e164: str, style: int, data: st.DataObject) -> None:
    number = normalise(e164, [])
    written = phonenumbers.format_number(phonenumbers.parse(e164), style)
    place = data.draw(st.integers(0, len(written)))
    noise = data.draw(st.sampled_from(["", " ", "\u200e", "\u00a0"]))
    if not written.startswith("tel"):
        written = written[:place] + noise + written[place:]
    assert normalise(written, [number.region, "US"]) == number


@given(st.text(max_size=30), st.lists(st.sampled_from(["US", "GB", "DE", "", "zz"]), max_size=2))
def test_any_text_is_a_number_or_refused(raw: str, regions: list[str]) -> None:
    try:
        number = normalise(raw, regions)
    except InvalidNumberError:
        return
    assert normalise(number.e164, []) == number


@given(st.text(alphabet="+0123456789", max_size=20))
def test_a_masked_number_never_shows_more_than_its_country_and_two_digits(text: str) -> None:
    assert sum(char.isdigit() for char in masked(text)) <= 3 + 2
