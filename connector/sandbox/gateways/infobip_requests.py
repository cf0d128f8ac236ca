"""Is a request to the pretend Infobip one that the real one would take, and what does it ask for?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

LONGEST_VALIDITY = timedelta(hours=48)  # what is longer is cut to it, not refused
MOST_CALLBACK_DATA = 4000

_UNITS = {"SECONDS": 1, "MINUTES": 60, "HOURS": 3600}
_DESCRIPTIONS = {400: "Bad request", 401: "Unauthorized", 429: "Too many requests"}


class InfobipRefusalError(Exception):
    """Infobip would not do this: HTTP status, why, and what is wrong with which property."""

    def __init__(self, http: int, why: str, violations: Mapping[str, str] | None = None) -> None:
        super().__init__(why)
        self.http, self.violations = http, dict(violations or {})

    def body(self) -> dict[str, Any]:
        """The answer."""
        return {
            "errorCode": f"E{self.http}",
            "description": _DESCRIPTIONS.get(self.http, str(self)),
            "action": "Check the request parameters and adjust.",
            "violations": [{"property": name, "violation": what} for name, what in self.violations.items()],
            "resources": [],
        }


@dataclass(frozen=True)
class Wanted:
    """One text to one number."""

    to: str
    sender: str
    text: str
    message_id: str | None
    valid_for: timedelta | None
    details: dict[str, Any] = field(default_factory=dict)


def read(body: Any) -> list[Wanted]:
    """Give what a send asks for; InfobipRefusalError names the first property that is wrong."""
    top = _object(body, "", {"messages"})
    return [
        wanted for index, one in enumerate(_list(top, "messages")) for wanted in _message(one, f"messages[{index}]")
    ]


def _message(content: Any, path: str) -> list[Wanted]:
    one = _object(content, path, {"destinations", "content"}, {"sender", "options", "webhooks"})
    text = _text(_object(one["content"], f"{path}.content", {"text"}), "text", f"{path}.content")
    options, webhooks = _options(one.get("options", {}), path), _webhooks(one.get("webhooks", {}), path)
    sender = _text(one, "sender", path) if "sender" in one else "InfoSMS"
    valid_for = options.pop("valid_for", None)
    found = []
    for index, each in enumerate(_list(one, "destinations", path)):
        here = f"{path}.destinations[{index}]"
        to = _object(each, here, {"to"}, {"messageId", "networkId"})
        message_id = _text(to, "messageId", here) if "messageId" in to else None
        found.append(Wanted(_text(to, "to", here), sender, text, message_id, valid_for, {**options, **webhooks}))
    return found


def _options(content: Any, path: str) -> dict[str, Any]:
    here = f"{path}.options"
    options = _object(content, here, set(), {"validityPeriod", "regional", "campaignReferenceId", "deliveryTimeWindow"})
    found: dict[str, Any] = {}
    if "validityPeriod" in options:
        period = _object(options["validityPeriod"], f"{here}.validityPeriod", {"amount"}, {"timeUnit"})
        amount, unit = period["amount"], period.get("timeUnit", "MINUTES")
        if not isinstance(amount, int) or isinstance(amount, bool) or amount < 1 or unit not in _UNITS:
            raise _wrong(f"{here}.validityPeriod", "must be a positive number of SECONDS, MINUTES or HOURS")
        found["valid_for"] = min(timedelta(seconds=amount * _UNITS[unit]), LONGEST_VALIDITY)
    if "regional" in options:
        regional = _object(options["regional"], f"{here}.regional", {"indiaDlt"})
        allowed = {"principalEntityId"}, {"contentTemplateId", "telemarketerId"}
        found["indiaDlt"] = _object(regional["indiaDlt"], f"{here}.regional.indiaDlt", *allowed)
    return found


def _webhooks(content: Any, path: str) -> dict[str, Any]:
    here = f"{path}.webhooks"
    webhooks = _object(content, here, set(), {"delivery", "contentType", "callbackData"})
    found: dict[str, Any] = {}
    if "delivery" in webhooks:
        delivery = _object(webhooks["delivery"], f"{here}.delivery", {"url"}, {"intermediateReport", "notify"})
        found["url"] = _text(delivery, "url", f"{here}.delivery")
    if webhooks.get("contentType", "application/json") not in {"application/json", "application/xml"}:
        raise _wrong(f"{here}.contentType", "must be application/json or application/xml")
    if "callbackData" in webhooks:
        found["callbackData"] = _text(webhooks, "callbackData", here, MOST_CALLBACK_DATA)
    return found


def _object(content: Any, path: str, needed: set[str], optional: set[str] | None = None) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise _wrong(path or "body", "must be an object")
    for name in needed - set(content):
        raise _wrong(f"{path}.{name}".lstrip("."), "must not be null")
    for name in set(content) - needed - (optional or set()):
        raise _wrong(f"{path}.{name}".lstrip("."), "unknown property")
    return content


def _list(content: Mapping[str, Any], name: str, path: str = "") -> list[Any]:
    if not isinstance(content[name], list) or not content[name]:
        raise _wrong(f"{path}.{name}".lstrip("."), "must be a list with at least one entry")
    found: list[Any] = content[name]
    return found


def _text(content: Mapping[str, Any], name: str, path: str, longest: int | None = None) -> str:
    value = content[name]
    if not isinstance(value, str) or not value or (longest is not None and len(value) > longest):
        raise _wrong(f"{path}.{name}", "must be a text that is not empty and not too long")
    return value


def _wrong(path: str, what: str) -> InfobipRefusalError:
    return InfobipRefusalError(400, "Bad request", {path: what})
