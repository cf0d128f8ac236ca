"""What does HubSpot work out from the phone numbers people type into a contact?

`hs_calculated_*` are in international format and only there when the number was typed so; the searchable
ones are digits, with and without the country code.
"""

import re

import phonenumbers

from connector.sandbox.hubspot.property_definitions import PHONE_KINDS


def calculated_phones(properties: dict[str, str]) -> dict[str, str]:
    """The calculated properties that go with `phone` and `mobilephone`; empty text where there is none."""
    found: dict[str, str] = {}
    for source, kind in PHONE_KINDS.items():
        found |= _calculated(properties.get(source, ""), kind)
    return found


def _calculated(typed: str, kind: str) -> dict[str, str]:
    number = _parsed(typed)
    national = str(phonenumbers.national_significant_number(number)) if number else re.sub(r"\D", "", typed)
    country_code = str(number.country_code) if number else ""
    region = phonenumbers.region_code_for_number(number) if number else None
    return {
        f"hs_calculated_{kind}": f"+{country_code}{national}" if number else "",
        f"hs_calculated_{kind}_country_code": country_code,
        f"hs_calculated_{kind}_region_code": region or "",
        f"hs_searchable_calculated_{kind}": national,
        f"hs_searchable_calculated_international_{kind}": f"{country_code}{national}" if number else "",
    }


def _parsed(typed: str) -> phonenumbers.PhoneNumber | None:
    if not typed.strip().startswith("+"):
        return None
    try:
        return phonenumbers.parse(typed, None)
    except phonenumbers.NumberParseException:
        return None
