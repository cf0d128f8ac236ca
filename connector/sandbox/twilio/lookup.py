"""What does the gateway's number lookup tell of a number?

Source: twilio.com/docs/lookup/v2-api, with its package on line types. Numbers nothing was said about are mobile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import phonenumbers
from phonenumbers import PhoneNumber, ValidationResult

from connector.sandbox.twilio.refusals import RefusalError

PACKAGE = "line_type_intelligence"
LINE_TYPES = (
    *("landline", "mobile", "fixedVoip", "nonFixedVoip", "personal", "tollFree", "premium", "sharedCost", "uan"),
    *("voicemail", "pager", "unknown"),
)
KNOWN_PARAMETERS = frozenset({"Fields", "CountryCode"})  # others belong to packages this lookup does not sell
_WITH_CARRIER = frozenset({"landline", "mobile", "fixedVoip", "nonFixedVoip"})
_REASONS = {
    ValidationResult.TOO_SHORT: "TOO_SHORT",
    ValidationResult.TOO_LONG: "TOO_LONG",
    ValidationResult.INVALID_COUNTRY_CODE: "INVALID_COUNTRY_CODE",
    ValidationResult.INVALID_LENGTH: "INVALID_LENGTH",
}


@dataclass(frozen=True)
class Line:
    """What is known of a number.

    Attributes:
        type: one of `LINE_TYPES`.
        is_valid: whether such a number may be given out at all.
        error_code: why the package has nothing on it, such as 60600, or None.
    """

    type: str = "mobile"
    carrier_name: str = "Sandbox Mobile"
    is_valid: bool = True
    error_code: int | None = None

    def __post_init__(self) -> None:
        """Refuse types the vendor does not know."""
        if self.type not in LINE_TYPES:
            raise ValueError(f"no line type {self.type!r}; one of {', '.join(LINE_TYPES)}")


def lookup_answer(number: str, query: Mapping[str, str], lines: Mapping[str, Line], url: str) -> dict[str, Any]:
    """The JSON object of the answer; RefusalError for a package that is not sold here."""
    packages = [name for name in query.get("Fields", "").split(",") if name]
    if set(packages) - {PACKAGE}:
        raise RefusalError(20001, "Fields")
    parsed = _parsed(number, query.get("CountryCode"))
    line = lines.get(number, Line())
    errors = _errors(parsed, line)
    is_told = PACKAGE in packages and not errors
    return {
        "calling_country_code": str(parsed.country_code) if parsed else None,
        "country_code": phonenumbers.region_code_for_country_code(parsed.country_code or 0) if parsed else None,
        "phone_number": number,
        "national_format": phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
        if parsed
        else None,
        "valid": not errors,
        "validation_errors": errors,
        "caller_name": None,
        "sim_swap": None,
        "call_forwarding": None,
        "line_status": None,
        PACKAGE: _line(line) if is_told else None,
        "url": url,
    }


def _parsed(number: str, country: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return None


def _errors(parsed: PhoneNumber | None, line: Line) -> list[str]:
    if parsed is None:
        return ["NOT_A_NUMBER"]
    reason = phonenumbers.is_possible_number_with_reason(parsed)
    if reason in _REASONS:
        return [_REASONS[reason]]
    return [] if line.is_valid else ["INVALID_BUT_POSSIBLE"]


def _line(line: Line) -> dict[str, Any]:
    if line.error_code is not None:
        told: dict[str, Any] = dict.fromkeys(("carrier_name", "mobile_country_code", "mobile_network_code", "type"))
        return told | {"error_code": line.error_code}
    has_carrier, is_mobile = line.type in _WITH_CARRIER, line.type == "mobile"
    return {
        "carrier_name": line.carrier_name if has_carrier else None,
        "error_code": None,
        "mobile_country_code": "310" if has_carrier else None,
        "mobile_network_code": "260" if is_mobile else None,
        "type": line.type,
    }
