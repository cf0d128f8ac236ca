"""Is a request to send a message one the gateway takes, and if not, with which code is it refused?"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import phonenumbers

from connector.sandbox.twilio.refusals import MAGIC_RECIPIENTS, MAGIC_SENDERS, RefusalError

KNOWN_FIELDS = frozenset(
    {
        *("To", "From", "MessagingServiceSid", "Body", "MediaUrl", "ContentSid", "ContentVariables"),
        *("StatusCallback", "ApplicationSid", "MaxPrice", "ProvideFeedback", "Attempt", "ValidityPeriod"),
        *("ForceDelivery", "ContentRetention", "AddressRetention", "SmartEncoded", "PersistentAction"),
        *("TrafficType", "ShortenUrls", "ScheduleType", "SendAt", "SendAsMms", "RiskCheck"),
    }
)
MAX_BODY = 1600  # characters, not bytes
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_SHORT_CODE = re.compile(r"\d{3,8}")
_SENDER_ID = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_HOST = re.compile(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]")  # the vendor refuses underscores


def check_send(form: Mapping[str, str]) -> None:
    """Raise RefusalError for the first thing wrong with the fields themselves."""
    if not form.get("To"):
        raise RefusalError(21604)
    if not form.get("From") and not form.get("MessagingServiceSid"):
        raise RefusalError(21603)
    if not form.get("Body") and not form.get("MediaUrl") and not form.get("ContentSid"):
        raise RefusalError(21602)
    if len(form.get("Body", "")) > MAX_BODY:
        raise RefusalError(21617)
    _check_recipient(form["To"])
    _check_sender(form.get("From", ""), form["To"])
    _check_validity(form.get("ValidityPeriod"))
    _check_callback(form.get("StatusCallback"))


def schedule_delay(form: Mapping[str, str], now: datetime) -> timedelta:
    """How long a message is to wait: nothing, unless the form asks for a fixed time."""
    if form.get("ScheduleType") != "fixed":
        return timedelta()
    if not form.get("MessagingServiceSid"):
        raise RefusalError(35118)
    if not form.get("SendAt"):
        raise RefusalError(35111)
    try:
        return max(datetime.fromisoformat(form["SendAt"]) - now, timedelta())
    except (ValueError, TypeError) as error:
        raise RefusalError(20001, "SendAt is an ISO 8601 time with its offset") from error


def _check_recipient(number: str) -> None:
    if number in MAGIC_RECIPIENTS:
        raise RefusalError(MAGIC_RECIPIENTS[number])
    if not _E164.fullmatch(number):
        raise RefusalError(21211, "E.164 is needed")
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException as error:
        raise RefusalError(21211) from error
    if not phonenumbers.is_possible_number(parsed):
        raise RefusalError(21211)
    if phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.FIXED_LINE:
        raise RefusalError(21614)


def _check_sender(sender: str, recipient: str) -> None:
    if sender in MAGIC_SENDERS:
        raise RefusalError(MAGIC_SENDERS[sender])
    if sender and not any(shape.fullmatch(sender) for shape in (_E164, _SHORT_CODE, _SENDER_ID)):
        raise RefusalError(21212)
    if sender == recipient:
        raise RefusalError(21266)


def _check_validity(period: str | None) -> None:
    # The vendor documents the range but no code for leaving it; 20001 is its general "invalid parameter".
    if period is not None and not (period.isdecimal() and 1 <= int(period) <= 36000):
        raise RefusalError(20001, "ValidityPeriod is 1 to 36000 seconds")


def _check_callback(url: str | None) -> None:
    if url is None:
        return
    try:
        parts = urlsplit(url)
        is_sound = parts.scheme in {"http", "https"} and bool(_HOST.fullmatch(_host(parts.netloc)))
    except ValueError:
        is_sound = False
    if not is_sound or re.search(r"\s", url):
        raise RefusalError(21609)


def _host(netloc: str) -> str:
    return re.sub(r":\d+$", "", netloc.rpartition("@")[2])
