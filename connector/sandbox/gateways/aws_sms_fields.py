"""Which fields do requests to a pretend AWS End User Messaging SMS have, and what may stand in them?

Source: the service's API description (types, lengths and patterns of `SendTextMessage` and `CarrierLookup`).
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], bool]


class RefusalError(Exception):
    """An exception of the service: its name, its HTTP status, and what its body says beside the message."""

    def __init__(self, kind: str, *, status: int = 400, **said: Any) -> None:
        super().__init__(kind)
        self.kind, self.status, self.said = kind, status, said


def text(pattern: str, longest: int) -> Check:
    """A string that matches as a whole."""
    wanted = re.compile(pattern, re.DOTALL)
    return lambda value: isinstance(value, str) and len(value) <= longest and wanted.fullmatch(value) is not None


def number(least: int, most: int) -> Check:
    """A whole number."""
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def table(most: int, key: Check, value: Check) -> Check:
    """An object with so many entries at the most."""
    return lambda found: (
        isinstance(found, dict) and len(found) <= most and all(key(k) and value(v) for k, v in found.items())
    )


def is_flag(value: Any) -> bool:
    """Whether it is true or false."""
    return isinstance(value, bool)


_NAME = text(r"[A-Za-z0-9_:/-]+", 256)

SEND: Mapping[str, Check] = {
    "DestinationPhoneNumber": text(r"\+?[1-9][0-9]{1,18}", 20),
    "OriginationIdentity": text(r"[A-Za-z0-9_:/\+-]+", 256),
    "MessageBody": text(r"(?!\s*\Z).+", 1600),
    "MessageType": text(r"TRANSACTIONAL|PROMOTIONAL", 13),
    "Keyword": text(r"[ \S]+", 30),
    "ConfigurationSetName": _NAME,
    "MaxPrice": text(r"[0-9]{0,2}\.[0-9]{1,5}", 8),
    "TimeToLive": number(5, 259_200),
    "Context": table(5, text(r"\S+", 100), text(r"(?!\s).+(?<!\s)", 800)),
    "DestinationCountryParameters": table(10, text(r"IN_TEMPLATE_ID|IN_ENTITY_ID", 14), text(r"\S+", 64)),
    "DryRun": is_flag,
    "ProtectConfigurationId": _NAME,
    "MessageFeedbackEnabled": is_flag,
}
LOOKUP: Mapping[str, Check] = {
    "PhoneNumber": text(r"\+[({\s\[]?[1-9][0-9(){}\s\[\],.-]{1,38}", 40),
    "EnableCleansing": is_flag,
}
_REQUIRED = frozenset({"DestinationPhoneNumber", "PhoneNumber"})


def checked(body: bytes, fields: Mapping[str, Check]) -> dict[str, Any]:
    """The parameters of a request.

    Raises:
        RefusalError: no JSON object, an unknown field, a missing one, or one with something else in it.
    """
    try:
        given = json.loads(body)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise RefusalError("SerializationException")
    missing = _REQUIRED & fields.keys() - given.keys()
    if "MessageBody" in fields and "MessageBody" not in given:
        missing |= {"MessageBody"}  # optional by the description, and yet a text without one is refused
    for reason, names in (
        ("UNSPECIFIED_PARAMETER_NOT_SUPPORTED", given.keys() - fields.keys()),
        ("MISSING_PARAMETER", missing),
        (
            "FIELD_VALIDATION_FAILED",
            {name for name, check in fields.items() if name in given and not check(given[name])},
        ),
    ):
        if names:
            wrong = [{"Name": name, "Message": "refused by the sandbox"} for name in sorted(names)]
            raise RefusalError("ValidationException", Reason=reason, Fields=wrong)
    return given
