"""Which phone number did a person mean, may it receive an SMS, and what time may it be there?

Number plans come from the `phonenumbers` package (Google's libphonenumber metadata).
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType, timezone

from connector.errors import InvalidNumberError


class NumberKind(StrEnum):
    """What a number is used for, as far as its digits tell."""

    MOBILE = "mobile"
    FIXED_LINE = "fixed_line"
    FIXED_OR_MOBILE = "fixed_or_mobile"
    TOLL_FREE = "toll_free"
    VOIP = "voip"
    PREMIUM = "premium"
    SHARED_COST = "shared_cost"
    PERSONAL = "personal"
    PAGER = "pager"
    COMPANY = "company"
    VOICEMAIL = "voicemail"
    UNKNOWN = "unknown"

    @property
    def may_receive_sms(self) -> bool:
        """False for kinds that never take a text: premium, shared-cost, pager, company and voicemail numbers.

        Fixed lines and toll-free numbers may be text-enabled, so the gateway decides there.
        """
        return self not in _NEVER_TEXTED


_NEVER_TEXTED = frozenset(
    {
        NumberKind.PREMIUM,
        NumberKind.SHARED_COST,
        NumberKind.PAGER,
        NumberKind.COMPANY,
        NumberKind.VOICEMAIL,
    }
)

_KINDS = MappingProxyType(
    {
        PhoneNumberType.MOBILE: NumberKind.MOBILE,
        PhoneNumberType.FIXED_LINE: NumberKind.FIXED_LINE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberKind.FIXED_OR_MOBILE,
        PhoneNumberType.TOLL_FREE: NumberKind.TOLL_FREE,
        PhoneNumberType.VOIP: NumberKind.VOIP,
        PhoneNumberType.PREMIUM_RATE: NumberKind.PREMIUM,
        PhoneNumberType.SHARED_COST: NumberKind.SHARED_COST,
        PhoneNumberType.PERSONAL_NUMBER: NumberKind.PERSONAL,
        PhoneNumberType.PAGER: NumberKind.PAGER,
        PhoneNumberType.UAN: NumberKind.COMPANY,
        PhoneNumberType.VOICEMAIL: NumberKind.VOICEMAIL,
    }
)


@dataclass(frozen=True, slots=True)
class MSISDN:
    """A phone number that exists in its country's plan.

    Attributes:
        e164: `+` and up to 15 digits (ITU-T E.164).
        region: ISO 3166 country code, upper case; "001" for numbers of no country.
        kind: what the number is used for.
    """

    e164: str
    region: str
    kind: NumberKind

    @property
    def may_receive_sms(self) -> bool:
        """Whether a text to this kind of number can arrive at all."""
        return self.kind.may_receive_sms


_FICTION = (
    # Reserved for drama by Ofcom (UK), Arcep (France) and ComReg (Ireland), and invalid by the number plans. Other
    # reserved ranges (+1 NPA 555-01xx, +61 491 570 xxx, +44 20 7946 0xxx) are valid by theirs and need no row.
    (re.compile(r"\+447700900[0-9]{3}"), "GB", NumberKind.MOBILE, "Europe/London"),
    (re.compile(r"\+441632960[0-9]{3}"), "GB", NumberKind.FIXED_LINE, "Europe/London"),
    (re.compile(r"\+3363998[0-9]{4}"), "FR", NumberKind.MOBILE, "Europe/Paris"),
    (re.compile(r"\+3532091[0-9]{5}"), "IE", NumberKind.FIXED_LINE, "Europe/Dublin"),
)

_SCHEME = re.compile(r"\s*(?:tel|sms|callto)\s*:\s*", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")
_STRANGE = re.compile(
    r"[^0-9+\s().\[\]/\-\u2010-\u2015\u2212]"
)  # what is left of a number when all it may have is gone
_CONTEXT = ";phone-context="  # RFC 3966 §5.1.5: the country code of a tel: URI written apart

_IMPOSSIBLE = MappingProxyType(
    {
        phonenumbers.ValidationResult.TOO_SHORT: "has too few digits",
        phonenumbers.ValidationResult.TOO_LONG: "has too many digits",
        phonenumbers.ValidationResult.INVALID_LENGTH: "has a number of digits its country does not use",
        phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "lacks its area code",
        phonenumbers.ValidationResult.INVALID_COUNTRY_CODE: "has a country code that does not exist",
    }
)


def normalise(raw: str, regions: Sequence[str]) -> MSISDN:
    """Read a number as people type it, in the first region where it makes sense.

    Spaces, brackets, dots, dashes, full-width digits and `tel:` are understood. A number with `+` needs no region;
    `00` counts as `+` when no region reads it otherwise. Numbers with an extension, with letters (vanity numbers
    too: a letter is more often a slip than a wish) or of kinds that never take a text are refused.

    Args:
        raw: the CRM field.
        regions: ISO 3166 country codes to try in order, the contact's first, then the account's.

    Raises:
        InvalidNumberError: says why, without the number.
    """
    text = _plain(raw)
    parsed = list(_readings(text, regions))
    _refuse_extras(text, parsed)
    for number in parsed:
        if (msisdn := _in_use(number)) is not None:
            if not msisdn.may_receive_sms:
                raise InvalidNumberError(f"the number is of a kind that takes no SMS: {msisdn.kind.value}")
            return msisdn
    raise InvalidNumberError(f"the number {_complaint(parsed)}")


def time_zones(e164: str) -> tuple[str, ...]:
    """Return the IANA zones the number can be in; empty when nobody knows.

    Weak evidence: a mobile says where it was issued. Toll-free numbers have all zones of their plan.
    """
    for pattern, _, _, zone in _FICTION:
        if pattern.fullmatch(e164):
            return (zone,)
    number = _parse(e164, None)
    if number is None:
        return ()
    return tuple(zone for zone in timezone.time_zones_for_number(number) if zone != timezone.UNKNOWN_TIMEZONE)


def masked(e164: str) -> str:
    """Return a number fit for logs: country code and last two digits, stars between."""
    number = _parse(e164, None)
    if number is None:
        return "*" * len(e164)
    head, tail = f"+{number.country_code}", e164[-2:]
    return head + "*" * (len(e164) - len(head) - len(tail)) + tail


def _plain(raw: str) -> str:
    """Fold full-width digits, drop invisible marks that copying brings along, and the scheme of a tel: link."""
    visible = "".join(char for char in unicodedata.normalize("NFKC", raw) if unicodedata.category(char) != "Cf")
    text = _SCHEME.sub("", visible, count=1) if _SCHEME.match(visible) else visible
    if not text.strip():
        raise InvalidNumberError("there is no number")
    return text.strip()


def _readings(text: str, regions: Sequence[str]) -> list[PhoneNumber]:
    attempts: list[tuple[str, str | None]] = [(text, region.strip().upper()) for region in regions]
    attempts = attempts or [(text, None)]
    if text.startswith("00"):
        attempts.append(("+" + text[2:], None))
    return [number for number in (_parse(*attempt) for attempt in attempts) if number is not None]


def _parse(text: str, region: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None


def _refuse_extras(text: str, parsed: Sequence[PhoneNumber]) -> None:
    if any(number.extension for number in parsed):
        raise InvalidNumberError("the number has an extension, and an SMS cannot reach an extension")
    digits = text.partition(_CONTEXT)[0]
    if _LETTER.search(digits):
        raise InvalidNumberError("the number has letters in it: write digits only")
    if _STRANGE.search(digits):
        raise InvalidNumberError("the field holds characters that no number has, or several numbers")


def _in_use(number: PhoneNumber) -> MSISDN | None:
    """Accept what the country's plan has in use, and what it reserves for fiction."""
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    region = phonenumbers.region_code_for_number(number)
    if region is not None and phonenumbers.is_valid_number(number):
        return MSISDN(e164, region, _KINDS.get(phonenumbers.number_type(number), NumberKind.UNKNOWN))
    for pattern, fiction_region, kind, _ in _FICTION:
        if pattern.fullmatch(e164):
            return MSISDN(e164, fiction_region, kind)
    return None


def _complaint(parsed: Sequence[PhoneNumber]) -> str:
    if not parsed:
        return "cannot be read: it has no country code, and no region is known that would read it"
    reason = phonenumbers.is_possible_number_with_reason(parsed[0])
    return _IMPOSSIBLE.get(reason, "is not in use in its country's number plan")
