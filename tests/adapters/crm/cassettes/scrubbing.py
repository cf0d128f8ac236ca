"""How does a recording lose every secret, person, number, text and account it holds, and still play?

The same value becomes the same pretend value wherever it stands, so that an id that was answered is the id that is
asked for next. What our scenes say themselves, and pretend values, stay as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from connector.sandbox.salesforce.ids import full_id, normal_id
from tests.adapters.crm.cassettes.exchanges import Exchange

SECRET_KEYS = frozenset({"access_token", "refresh_token", "id_token", "signature", "client_secret", "code"})
_NAME_KEYS = frozenset(
    {"firstname", "lastname", "email", "username", "company", "name", "hub_domain", "user", "alias", "title", "website"}
)
_TEXT_KEYS = frozenset(
    {
        *("hs_communication_body", "hs_note_body", "hs_task_body", "hs_task_subject", "hs_body_preview", "dealname"),
        *("hs_body_preview_html", "content", "Description", "Subject", "Body__c", "Error__c"),
    }
)
_PHONE_KEYS = re.compile(r"phone|fax|^from__c$|^to__c$|calculated_mobile|searchable", re.IGNORECASE)
_ID_KEYS = frozenset(
    {
        *("id", "toObjectId", "hs_object_id", "hubspot_owner_id", "portalId", "hub_id", "userId", "user_id", "ownerId"),
        *("userIdIncludingInactive", "hs_merged_object_ids", "hs_created_by_user_id", "hs_updated_by_user_id"),
    }
)
_PERSON = "person{}@acme.example"
_CORRELATION = "00000000-0000-4000-8000-000000000000"

_EMAIL = re.compile(r"[^\s@\"'<>:,;/()]+@[^\s@\"'<>:,;/()]+")
_PHONE = re.compile(r"\+[0-9][0-9 ().-]{6,}[0-9]|\([0-9]{3}\) ?[0-9]{3}-[0-9]{4}|\b[0-9]{3}[-.][0-9]{3}[-.][0-9]{4}\b")
_FICTION = re.compile(r"(\+?1)?20255501[0-9]{2}|(\+?44|0)?7700900[0-9]{3}")
_NUMBER = re.compile(r"(?<![\w.])[0-9]{5,}(?![\w.])")  # shorter ones are stages, types and counts
_WORD = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{18}(?![A-Za-z0-9])")
_PRETEND_ORG_ID = re.compile(r".{3}0{9}[0-9]{3}")
_PRETEND_ID = re.compile(r"100000000[0-9]{3}|[0-9]{3}0{9}[0-9]{3}")  # a portal's; an organisation's, without letters
_PRETEND_SECRET = re.compile(r"(Bearer )?pretend-[a-z-]+-?[0-9]*|")
_HOST = re.compile(r"https?://([^/\s\"'<>?]+)|\b((?:[\w-]+\.)+(?:salesforce|force|hubspot|hubapi)\.com)\b")
_LOOKS_SECRET = {
    "a HubSpot token": re.compile(r"\bpat-[a-z0-9]{2,4}-[0-9a-fA-F-]{8,}"),
    "a Salesforce session": re.compile(r"\b00D\w{12,15}!\S+"),
    "a Salesforce refresh token": re.compile(r"\b5Aep\w{6,}"),
    "a JSON Web Token": re.compile(r"\beyJ[\w-]{8,}\.[\w-]+"),
    "a long random string": re.compile(r"\b(?=[\w=-]*[0-9])(?=[\w=-]*[A-Za-z])(?!00000000-)[\w=-]{36,}"),
}
_DESCRIBED = ("name", "type", "length", "picklistValues", "referenceTo", "updateable")
_OWN_FIELDS = frozenset(
    {"External_Id__c", "Direction__c", "Status__c", "Body__c", "From__c", "To__c", "Segments__c", "Error__c"}
    | {"Sent_At__c", "Delivered_At__c", "Contact__c", "Lead__c", "Opportunity__c", "Case__c"}
)
PUBLIC_HOSTS = frozenset({"login.salesforce.com", "developers.hubspot.com", "app.hubspot.com"})


class TellsTooMuchError(Exception):
    """A cassette that must not be written; the message says what kinds of thing it holds, and none of them."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an account before anything is recorded: real values with the pretend ones for them.

    Attributes:
        values: secrets and the account's own ids.
        hosts: of addresses, with their ports.
        words: what the scenes write, which nobody else has to be protected from.
    """

    values: Mapping[str, str] = field(repr=False)
    hosts: Mapping[str, str]
    words: Sequence[str] = ()

    def is_ours(self, text: str) -> bool:
        """Whether a text holds nothing but what the scenes write, pretend values, markup, marks and digits."""
        words = sorted({*self.words, "Name", "Text", "Ref"}, key=len, reverse=True)
        return re.fullmatch(rf"(?:{'|'.join(map(re.escape, words))}|<[^>]+>|&\w+;|[\W\d_])*", text) is not None


@dataclass(slots=True)
class Scrubber:
    """Scrubs the exchanges of one scene, all of them at once."""

    known: Known
    _found: dict[str, str] = field(default_factory=dict, repr=False)
    _ids: set[str] = field(default_factory=set, repr=False)
    _org_ids: set[str] = field(default_factory=set, repr=False)
    _counts: dict[str, int] = field(default_factory=dict)

    def scrub(self, exchanges: Sequence[Exchange]) -> list[Exchange]:
        """Give the exchanges without anything that is somebody's.

        Raises:
            TellsTooMuchError: something is left all the same.
        """
        exchanges = [_shortened(each) for each in exchanges]
        for each in exchanges:
            each.rewritten(self._note)
        swaps = {**self._pretend_ids(), **self._found, **self.known.values}
        put = partial(self._put, _swapper(swaps), swaps)
        scrubbed = [each.rewritten(put) for each in exchanges]
        demand_clean(scrubbed, self.known, [*self._found, *self._ids, *self._org_ids])
        return scrubbed

    # -- the first walk: which values are there?

    def _note(self, key: str, value: Any) -> Any:
        if isinstance(value, (bool, float)) or value is None:
            return value
        text = str(value)
        if text in self.known.values or key == "host":
            return value
        if key in SECRET_KEYS or key == "authorization":
            self._note_secret(key, text.removeprefix("Bearer "))
        elif key in _ID_KEYS:
            self._ids |= {each for each in _NUMBER.findall(text) if not _PRETEND_ID.fullmatch(each)}
        elif not _is_fit(key, text, self.known):
            self._swap(text, *_kind(key))
        self._org_ids |= {each for each in _WORD.findall(text) if _is_org_id(each)}
        for found in _EMAIL.findall(text):
            if not found.endswith(".example"):
                self._swap(found, _PERSON)
        for found in _PHONE.findall(text):
            if not _is_fiction(found):
                self._swap(found, "+1202555{:04}", 100)
        return value

    def _note_secret(self, key: str, text: str) -> None:
        if not _PRETEND_SECRET.fullmatch(text):
            self._swap(text, f"pretend-{key.replace('_', '-')}-{{}}")

    def _swap(self, text: str, shape: str, first: int = 1) -> None:
        if text and text not in self._found:
            self._counts[shape] = number = self._counts.get(shape, first - 1) + 1
            self._found[text] = shape.format(number)

    def _pretend_ids(self) -> dict[str, str]:
        """Keep the order of ids, as what is asked by them is sorted."""
        numbers = sorted(self._ids - self.known.values.keys(), key=int)
        swaps = {each: f"100000000{place:03}" for place, each in enumerate(numbers, start=1)}
        for place, each in enumerate(sorted(self._org_ids - self.known.values.keys()), start=100):
            pretend = full_id(f"{each[:3]}000000000{place:03}")
            swaps |= {each: pretend, each[:15]: pretend[:15]}
        return swaps

    # -- the second walk: put others in their places

    def _put(self, swap: Any, swaps: Mapping[str, str], key: str, value: Any) -> Any:
        if isinstance(value, (bool, float)) or value is None:
            return value
        if isinstance(value, int):
            return int(swaps[str(value)]) if swaps.get(str(value), "").isdigit() else value
        if key == "host":
            return self.known.hosts.get(value, value)
        if key == "correlationId":
            return _CORRELATION
        if key == "scheme":
            return "https"  # sandboxes have no certificate
        for real, pretend in self.known.hosts.items():
            value = value.replace(f"http://{real}", f"https://{pretend}").replace(real, pretend)
        return swap(value)


def _shortened(exchange: Exchange) -> Exchange:
    """Leave of a list of fields what is read of it: fields of the customer's own are the customer's business."""
    if exchange.method != "GET" or exchange.status != 200:
        return exchange
    told = json.loads(exchange.answer)
    if "/crm/properties/" in exchange.url:
        ours = [each for each in told["results"] if str(each["name"]).startswith("sms_connector")]
        return replace(exchange, answer=json.dumps({**told, "results": ours}))
    if not exchange.url.endswith("/describe"):
        return exchange
    fields = [{name: each[name] for name in _DESCRIBED if name in each} for each in told["fields"] if _is_known(each)]
    return replace(exchange, answer=json.dumps({"name": told["name"], "fields": fields}))


def _is_known(described: Mapping[str, Any]) -> bool:
    name = str(described["name"])
    return not name.endswith("__c") or "SMS_" in name or name in _OWN_FIELDS


def demand_clean(exchanges: Iterable[Exchange], known: Known, taken_out: Iterable[str] = ()) -> None:
    """Refuse a cassette that holds anything of anybody's.

    Raises:
        TellsTooMuchError: it does.
    """
    problems: dict[str, None] = {}
    gone = [*taken_out, *(real for real, pretend in known.values.items() if real != pretend)]
    is_left = _swapper(dict.fromkeys(gone, "\0")) if gone else None

    def look(key: str, value: Any) -> Any:
        problems.update(dict.fromkeys(_problems(key, value, known)))
        if is_left is not None and "\0" in is_left(str(value)):
            problems["a value that was to be taken out"] = None
        return value

    for each in exchanges:
        each.rewritten(look)
    if problems:
        raise TellsTooMuchError(f"the recording still holds {', '.join(problems)}")


def _problems(key: str, value: Any, known: Known) -> Iterable[str]:
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        return
    text = str(value)
    yield from (what for what, looks in _LOOKS_SECRET.items() if looks.search(text))
    if (key in SECRET_KEYS or key == "authorization") and not _PRETEND_SECRET.fullmatch(text):
        yield f"a secret under {key}"
    if not _is_fit(key, text, known):
        yield f"a text of somebody's under {key}"
    if any(not each.endswith(".example") for each in _EMAIL.findall(text)):
        yield "an e-mail address"
    if any(not _is_fiction(each) for each in _PHONE.findall(text)):
        yield "a phone number"
    if any(_is_org_id(each) for each in _WORD.findall(text)):
        yield "an id of an organisation's"
    hosts = {name for pair in _HOST.findall(text) for name in pair if name} | ({text} if key == "host" else set())
    if hosts - PUBLIC_HOSTS - set(known.hosts.values()):
        yield "an address of somebody's"


def _is_fit(key: str, text: str, known: Known) -> bool:
    """Whether what stands under a key that is somebody's may stand there."""
    if key != "name" and (key.lower() in _NAME_KEYS or key in _TEXT_KEYS):  # HubSpot's `name` is of its own things
        return known.is_ours(_EMAIL.sub(_fitting_email, text))
    if _PHONE_KEYS.search(key):
        return not re.search(r"[0-9]{6,}", re.sub(r"\D", "", text)) or _is_fiction(text)
    return True


def _fitting_email(match: re.Match[str]) -> str:
    return "" if match[0].endswith(".example") else match[0]


def _kind(key: str) -> tuple[str, int]:
    if key.lower() in {"email", "username"}:
        return _PERSON, 1
    if _PHONE_KEYS.search(key):
        return "+1202555{:04}", 100
    return ("Name {}" if key.lower() in _NAME_KEYS else "Text {}"), 1


def _is_fiction(text: str) -> bool:
    return _FICTION.fullmatch(re.sub(r"[^0-9+]", "", text)) is not None


def _is_org_id(text: str) -> bool:
    return normal_id(text) == text and not _PRETEND_ORG_ID.fullmatch(text[:15]) and any(map(str.isdigit, text[:3]))


def _swapper(swaps: Mapping[str, str]) -> Any:
    """Make what puts others for whole values in a text, the longest first, and never for part of a word or number."""
    if not swaps:
        return lambda text: text
    longest = sorted(filter(None, swaps), key=len, reverse=True)
    pattern = re.compile("|".join(rf"(?<![A-Za-z0-9]){re.escape(each)}(?![A-Za-z0-9])" for each in longest))
    return lambda text: pattern.sub(lambda match: swaps[match[0]], text)
