"""With which arguments is every method of every repository called, so that it would find what a tenant owns?"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple, get_type_hints

from connector.domain.message import Purpose
from connector.domain.steps import Metric
from connector.domain.timeline import EntryKind
from connector.ports.consents import Scope
from connector.ports.effects import EffectKind
from connector.ports.ledger import UnitOfWork
from connector.ports.message_filters import MessageFilter
from connector.ports.records import RecordSubject
from connector.ports.splits import WinnerRow
from tests.adapters.store.factories import NOW
from tests.tenancy.keeping import EVENT, INTAKE, JOURNEY, STEP, Kept
from tests.tenancy.owners import OWN

PAST, FUTURE = NOW - timedelta(days=1), NOW + timedelta(days=60)

Make = Callable[[Kept], Any]


class Method(NamedTuple):
    """A method of a repository, by the names of both."""

    repository: str
    name: str

    def __str__(self) -> str:
        return f"{self.repository}.{self.name}"


def methods() -> Iterator[tuple[Method, Mapping[str, inspect.Parameter]]]:
    """Give every method of every repository there is, with its parameters."""
    for repository, protocol in get_type_hints(UnitOfWork).items():
        for name, function in inspect.getmembers(protocol, inspect.isfunction):
            if not name.startswith("_"):
                parameters = dict(inspect.signature(function).parameters)
                parameters.pop("self")
                yield Method(repository, name), parameters


def _own(what: str) -> Make:
    return lambda kept: kept.owner.id(kept.key, what)


def _natural(what: str) -> Make:
    return lambda kept: kept.owner.natural(kept.key, what)


def _always(value: Any) -> Make:
    return lambda _kept: value


def _several(make: Make) -> Make:
    return lambda kept: [make(kept)]


def _number(kept: Kept) -> str:
    return kept.owner.number(kept.key)


def _in_crm(kept: Kept) -> str:
    return kept.owner.contact_in_crm(kept.key)


def _delivered(kept: Kept) -> str:
    return kept.texts["delivered"].id


def _version(kept: Kept) -> Any:
    assert kept.version is not None
    return kept.version


_ARGUMENTS: Mapping[str, Make] = {
    "access_token": _always("new"),
    "after": _always(""),
    "after_row": _always(0),
    "arm": _always("another arm"),
    "at": _always(NOW),
    "before": _always(FUTURE),
    "before_id": _always(None),
    "callback_id": _natural("callback"),
    "connected_at": _always(None),
    "contact_id": _own("contact"),
    "contact_ids": _several(_own("contact")),
    "counts": _always({"rows": 1}),
    "country": _always("US"),
    "crm_id": _in_crm,
    "crm_ids": _several(_in_crm),
    "due_at": _always(PAST),
    "effect_id": _own("effect"),
    "effect_ids": _several(_own("effect")),
    "enrollment_id": _own("enrollment"),
    "enrollment_ids": _several(_own("enrollment")),
    "entered_before": _always(FUTURE),
    "event": _natural(EVENT),
    "expires_at": _always(FUTURE),
    "file_hash": _natural("file"),
    "from_row": _always(2),
    "hash_": _natural("hash"),
    "hour": _always((1, 9)),
    "ids": _several(_own("event")),
    "idempotency_key": _natural("queued"),
    "is_locked": _always(False),
    "journey": _natural(JOURNEY),
    "key": _natural("key"),
    "key_id": _own("api-key"),
    "keys": _several(_natural("effect")),
    "in_part_since": _always(PAST),
    "kind": _always(EffectKind.CALLBACK),
    "kinds": _always([EntryKind.EVENT_RECEIVED]),
    "limit": _always(100),
    "message_id": _delivered,
    "message_ids": _several(_delivered),
    "metric": _always(Metric.REPLY_RATE),
    "msisdn": _number,
    "msisdns": _several(_number),
    "name": _natural("cursor"),
    "not_before": _always(FUTURE),
    "now": _always(NOW),
    "outcome": _always("understood"),
    "published_by": _always("somebody"),
    "purpose": _always(Purpose.TRANSACTIONAL),
    "reason": _always("why"),
    "refresh_token": _always("new"),
    "run_id": _own("import"),
    "scope": _always(Scope.MARKETING),
    "secret_ids": _several(_own("secret")),
    "settings": _always({}),
    "since": _always(PAST),
    "source": _always({"journey": "", "templates": {}}),
    "sources": lambda kept: [kept.owner.crm],
    "status": _always("disconnected"),
    "step": _always(STEP),
    "subject_ref": _natural("deal:7"),
    "subjects": _several(_natural("deal:7")),
    "text": _delivered,
    "to_row": _always(9),
    "until": _always(FUTURE),
    "value": _always("new"),
    "version_id": lambda kept: _version(kept).id,
    "which": _always(MessageFilter()),
    "winner": _always(WinnerRow("another arm", NOW)),
    "within": _always(timedelta(days=1)),
}
"""By the name of a parameter: what finds the rows of `filling.py`."""

_PARTICULAR: Mapping[Method, Mapping[str, Make]] = {
    Method("accounts", "save_settings"): {"name": _always("new")},
    Method("contacts", "mark_deleted"): {"now": _always(FUTURE)},
    Method("contacts", "purge"): {"now": _always(FUTURE)},
    Method("past", "recorded"): {
        "keys": lambda kept: [(kept.rows["timeline"].subject, kept.rows["timeline"].discriminator)]
    },
    Method("records", "changed"): {
        "kind": _always(RecordSubject.OPT_OUT_PROPERTY),
        "subjects": lambda kept: [f"contact:{_in_crm(kept)}"],
    },
    Method("secrets", "valid"): {"name": lambda kept: INTAKE if kept.key == OWN else "generic.stripe"},
}
"""Where a method's parameter means something else than its name says elsewhere."""


def arguments(method: Method, parameters: Mapping[str, Any], kept: Kept, account_id: str) -> dict[str, Any]:
    """Give the arguments with which a method would find what `kept` says, were the account not another one.

    Raises:
        KeyError: names a parameter that nobody has given a meaning to yet.
    """
    makers = {**_ARGUMENTS, **_PARTICULAR.get(method, {})}
    return {name: account_id if name == "account_id" else makers[name](kept) for name in parameters}


FORGED: Mapping[Method, Make] = {
    Method("accounts", "add"): lambda kept: kept.rows["accounts"],
    Method("api_keys", "add"): lambda kept: kept.rows["api_keys"],
    Method("attempts", "add"): lambda kept: [kept.rows["attempts"]],
    Method("attempts", "save"): lambda kept: [replace(kept.rows["attempts"], raw_status="forged")],
    Method("callback_secrets", "add"): lambda kept: kept.rows["callback_secrets"],
    Method("consents", "record"): lambda kept: kept.rows["consents"],
    Method("consents", "suppress"): lambda kept: kept.rows["consents"],
    Method("contacts", "save"): lambda kept: replace(kept.rows["contacts"], read_at=FUTURE, attributes={}),
    Method("effects", "add"): lambda kept: kept.rows["effects"],
    Method("enrollments", "add"): lambda kept: kept.rows["enrollments"],
    Method("enrollments", "save"): lambda kept: replace(kept.rows["enrollments"], status="ended"),
    Method("erasures", "add"): lambda kept: kept.rows["erasures"],
    Method("erasures", "complete"): lambda kept: replace(kept.rows["erasures"], seal="forged", completed_at=NOW),
    Method("imports", "add"): lambda kept: kept.rows["imports"],
    Method("imports", "add_troubles"): lambda kept: [kept.rows["troubles"]],
    Method("inbox", "add"): lambda kept: [kept.rows["inbox"]],
    Method("inbox", "add_new"): lambda kept: [kept.rows["inbox"]],
    Method("installs", "add"): lambda kept: kept.rows["installs"],
    Method("links", "add"): lambda kept: [kept.rows["links"]],
    Method("messages", "add"): lambda kept: kept.rows["messages"],
    Method("numbers", "save"): lambda kept: [replace(kept.rows["numbers"], carrier="forged")],
    Method("numbers", "want"): lambda kept: [kept.rows["numbers"]],
    Method("publications", "add"): lambda kept: kept.rows["publications"],
    Method("records", "want"): lambda kept: [kept.rows["records"]],
    Method("secrets", "add"): lambda kept: kept.rows["secrets"],
    Method("timeline", "add"): lambda kept: [kept.rows["timeline"]],
    Method("traffic", "spend"): lambda kept: [kept.rows["traffic"]],
    Method("workflow_calls", "add"): lambda kept: kept.rows["workflow_calls"],
}
"""Methods that take whole rows, and a row of a tenant's to forge: with another account's id on it."""


def forged(row: Any, account_id: str) -> Any:
    """Put an account's id on a row, or on several."""
    if isinstance(row, list):
        return [forged(each, account_id) for each in row]
    return replace(row, **{"id" if type(row).__name__ == "AccountRow" else "account_id": account_id})
