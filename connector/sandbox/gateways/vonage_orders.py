"""Which send does Vonage's SMS API take, and which status refuses it?

Source: developer.vonage.com/api/sms (parameters), developer.vonage.com/api-errors/sms (statuses).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from flask import request

from connector.sandbox.gateways.segments import ESCAPED, SEVEN_BIT
from connector.sandbox.gateways.vonage_account import API_SECRET, is_account, key_of
from connector.sandbox.gateways.world import GatewayWorld

_KNOWN = frozenset(
    {
        *("from", "to", "text", "type", "ttl", "status-report-req", "callback", "client-ref", "account-ref"),
        *("message-class", "trusted-sender", "entity-id", "content-id", "api_key", "api_secret"),
    }
)
_NUMBER = re.compile(r"[1-9]\d{6,14}")
_SENDER = re.compile(r"\d{3,15}|[A-Za-z0-9 ]{1,11}")
_TTL = (20_000, 604_800_000)  # milliseconds
_LONGEST_TEXT, _LONGEST_CALLBACK, _LONGEST_REFERENCE = 3200, 100, 40


@dataclass(frozen=True)
class Order:
    """A send that is in order; `form` is what the request carried."""

    to: str
    sender: str
    body: str
    callback: str | None
    reference: str | None
    valid_for: timedelta | None
    form: Mapping[str, str]


class RefusedError(Exception):
    """A send Vonage does not take: its `status` and `error-text`."""

    def __init__(self, status: str, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status, self.text = status, text


def read_order(world: GatewayWorld) -> Order:
    """The send in the current request.

    Raises:
        RefusedError: with the vendor's status.
    """
    form = request.form.to_dict()
    _authenticate(world, form)
    if world.is_throttled():
        raise RefusedError("1", "Throughput Rate Exceeded")
    for name in ("from", "to", "text"):
        if not form.get(name):
            raise RefusedError("2", f"Missing {name} param")
    _check(form)
    sender = form["from"]
    return Order(
        f"+{form['to']}",
        f"+{sender}" if _NUMBER.fullmatch(sender) else sender,
        form["text"] if form.get("type") == "unicode" else _as_gsm(form["text"]),
        form.get("callback"),
        form.get("client-ref"),
        timedelta(milliseconds=int(form["ttl"])) if "ttl" in form else None,
        form,
    )


def _authenticate(world: GatewayWorld, form: Mapping[str, str]) -> None:
    expected = (key_of(world), world.credentials.get("api_secret", API_SECRET))
    if not is_account(world) and (form.get("api_key"), form.get("api_secret")) != expected:
        raise RefusedError("4", "Bad Credentials")


def _check(form: Mapping[str, str]) -> None:
    if unknown := set(form) - _KNOWN:
        raise RefusedError("3", f"Unknown parameter {min(unknown)}")
    if not _NUMBER.fullmatch(form["to"]):
        raise RefusedError("3", "Invalid value for parameter: to")
    if not _SENDER.fullmatch(form["from"]):
        raise RefusedError("15", "Invalid sender address")
    if len(form["text"]) > _LONGEST_TEXT:
        raise RefusedError("12", "Message too long")
    if form.get("type", "text") not in {"text", "unicode"}:
        raise RefusedError("3", "Invalid value for parameter: type")
    if not form.get("ttl", "20000").isdecimal() or not _TTL[0] <= int(form.get("ttl", "20000")) <= _TTL[1]:
        raise RefusedError("3", "Invalid value for parameter: ttl")
    if len(form.get("client-ref", "")) > _LONGEST_REFERENCE:
        raise RefusedError("3", "Invalid value for parameter: client-ref")
    callback = form.get("callback", "https://")
    if len(callback) > _LONGEST_CALLBACK or urlsplit(callback).scheme not in {"http", "https"}:
        raise RefusedError("23", "Invalid callback URL")


def _as_gsm(text: str) -> str:
    """The text as `type=text` sends it: what the alphabet lacks becomes a question mark."""
    return "".join(each if each in SEVEN_BIT or each in ESCAPED else "?" for each in text)
