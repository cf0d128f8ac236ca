"""How does every account come to own a row of every kind?"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from connector.domain.message import Direction, MessageState
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.account_secrets import AccountSecretRow
from connector.ports.api_keys import APIKeyRow, APIScope, CallbackSecretRow
from connector.ports.attempts import AttemptRow, PartRow
from connector.ports.consents import ConsentEvent, ConsentKind, Mechanism, Scope
from connector.ports.contacts import ContactRow
from connector.ports.effects import EffectKind, EffectRow, EffectState
from connector.ports.enrollments import EnrollmentRow, PublicationAction, PublicationRow
from connector.ports.erasing import ErasureRow, ErasureScope
from connector.ports.imports import ImportRunRow, ImportTroubleRow
from connector.ports.inbox import InboxRow
from connector.ports.installing import InstallAttemptRow
from connector.ports.ledger import AccountRow, Ledger, UnitOfWork
from connector.ports.links import ShortLinkRow
from connector.ports.lookups import LookupState, NumberRow
from connector.ports.records import CRMRecordRow, RecordSubject
from connector.ports.splits import WinnerRow
from connector.ports.traffic import Spending
from connector.ports.workflows import WaitsFor, WorkflowCallRow
from connector.services.account_secrets import fingerprint
from tests.adapters.store.factories import NOW, SENDER, a_message, an_attempt
from tests.tenancy.keeping import (
    EVENT,
    GATEWAY,
    INTAKE,
    JOURNEY,
    LATER,
    SOON,
    STEP,
    Kept,
    Ledgerful,
    account_secret,
    api_secret,
    install_state,
)
from tests.tenancy.owners import EVERYTHING, OWN, OWNERS, Owner

_A_JOURNEY = """journey: {id}
title: of {tenant}
purpose: transactional
owner: {tenant}
trigger:
  event: ticket.priority_changed
enroll:
  key: ticket.id
steps:
  - exit: done by {tenant}
"""


def fill(ledger: Ledger) -> Ledgerful:
    """Let every account of both tenants own a row of every kind, twice; give what was put in."""
    with ledger.begin() as uow:
        for owner in OWNERS:
            uow.accounts.add(an_account(owner))
        kept = {(owner.account_id, key): _filled(uow, owner, key) for owner, key in EVERYTHING}
        uow.commit()
    return kept


def an_account(owner: Owner) -> AccountRow:
    settings: dict[str, Any] = {"default_region": "US", "card_admins": [f"rep@{owner.tenant}.example.com"]}
    tokens = {"access_token": f"{owner.account_id}-token", "refresh_token": f"{owner.account_id}-refresh"}
    if owner.crm == "salesforce":
        settings["instance_url"] = f"https://{owner.tenant}.my.salesforce.com"
    return AccountRow(
        owner.account_id, owner.crm, owner.external_id, f"{owner.tenant} Ltd", "active", "", settings, NOW,
        token_expires_at=LATER, **tokens,
    )  # fmt: skip


def _filled(uow: UnitOfWork, owner: Owner, key: str) -> Kept:
    kept = Kept(owner, key)
    _put_people(uow, kept)
    _put_journeys(uow, kept)
    _put_texts(uow, kept)
    _put_what_became_of_texts(uow, kept)
    _put_wishes(uow, kept)
    _put_consents(uow, kept)
    _put_splits(uow, kept)
    _put_secrets(uow, kept)
    _put_crm_side(uow, kept)
    _put_imports(uow, kept)
    return kept


def _put_people(uow: UnitOfWork, kept: Kept) -> None:
    owner, key = kept.owner, kept.key
    kept.rows["accounts"] = an_account(owner)
    contact = kept.rows["contacts"] = ContactRow(
        id=owner.id(key, "contact"), account_id=owner.account_id, crm=owner.crm, crm_id=owner.contact_in_crm(key),
        msisdn=owner.number(key), msisdn_reason=f"mobile of {owner.tenant}", time_zone="America/New_York",
        locale="en", country="US", owner_id=f"{owner.tenant}-rep", attributes={"name": f"Maya {owner.tenant}"},
        read_at=NOW,
    )  # fmt: skip
    assert uow.contacts.save(contact) == contact.id
    for what in ("handled", "event"):
        event = kept.rows["inbox"] = InboxRow(
            owner.id(key, what), owner.account_id, owner.crm, owner.id(key, f"{what}-outside"),
            f'{{"of": "{owner.tenant}"}}'.encode(), {"of": owner.tenant}, NOW,
        )  # fmt: skip
        assert uow.inbox.add([event]) == 1
    uow.inbox.finish([owner.id(key, "handled")], "understood", NOW)
    uow.habits.add(owner.account_id, contact.id, "US", (1, 9))
    number = kept.rows["numbers"] = NumberRow(
        owner.account_id, owner.number(key), LookupState.KNOWN, NOW, carrier=f"{owner.tenant} mobile", known_at=NOW,
        asked_at=NOW,
    )  # fmt: skip
    assert uow.numbers.want([number]) == 1
    uow.numbers.save([number])


def _put_journeys(uow: UnitOfWork, kept: Kept) -> None:
    owner, key = kept.owner, kept.key
    journey = owner.natural(key, JOURNEY)
    text = _A_JOURNEY.format(id=journey, tenant=owner.tenant)
    source = {"journey": text, "templates": {}, "file": f"journeys/{journey}.yaml"}
    version = kept.version = uow.versions.ensure(
        owner.account_id, journey, owner.natural(key, "hash"), source, f"{owner.tenant} admin", NOW
    )
    publication = kept.rows["publications"] = PublicationRow(
        owner.id(key, "publication"), owner.account_id, journey, version.id, PublicationAction.OWN,
        f"{owner.tenant} admin", NOW,
    )  # fmt: skip
    uow.publications.add(publication)
    enrollment = kept.rows["enrollments"] = EnrollmentRow(
        owner.id(key, "enrollment"), owner.account_id, owner.id(key, "contact"), journey, version.id,
        owner.natural(key, "key"), 0, owner.natural(key, "deal:7"), "live", {"of": owner.tenant}, NOW,
        waits_for=f"a reply to {owner.tenant}", due_at=LATER,
    )  # fmt: skip
    assert uow.enrollments.add(enrollment)


def _put_texts(uow: UnitOfWork, kept: Kept) -> None:
    owner, key = kept.owner, kept.key
    states: dict[str, dict[str, Any]] = {
        "queued": {"state": MessageState.QUEUED, "callback_url": None},
        "delivered": {"state": MessageState.DELIVERED, "sent_at": SOON, "sender": SENDER},
        "dead": {"state": MessageState.DEAD_LETTER, "state_reason": f"{owner.tenant} gave up", "tries": 1},
        "reply": {"state": MessageState.RECEIVED, "direction": Direction.IN, "sender": SENDER},
        "nobody's": {"state": MessageState.RECEIVED, "direction": Direction.IN, "sender": SENDER, "contact_id": None},
    }
    for what, state in states.items():
        known: dict[str, Any] = {
            "contact_id": owner.id(key, "contact"),
            "callback_url": f"https://{owner.tenant}.example.com/sms",
        }
        message = kept.texts[what] = a_message(
            owner.account_id, id=owner.id(key, what), msisdn=owner.number(key), body=f"{owner.tenant}: {what}",
            enrollment_id=owner.id(key, "enrollment"), journey=owner.natural(key, JOURNEY), gateway=GATEWAY,
            idempotency_key=owner.natural(key, what), ordered_by=f"api:{owner.id(key, 'api-key')}", updated_at=NOW,
            **(known | state),
        )  # fmt: skip
        assert uow.messages.add(message)
    kept.rows["messages"] = kept.texts["queued"]
    attempts = [_attempt(kept, "delivered", MessageState.DELIVERED), _attempt(kept, "dead", MessageState.FAILED)]
    uow.attempts.add(attempts)
    kept.rows["attempts"] = attempts[0]
    uow.attempts.add_parts([PartRow(attempts[0].id, GATEWAY, f"{attempts[0].id}-part", 1, MessageState.DELIVERED)])


def _attempt(kept: Kept, what: str, state: MessageState) -> AttemptRow:
    id_ = f"{kept.texts[what].id}-try"
    return an_attempt(
        kept.texts[what], id=id_, state=state, provider_message_id=f"{id_}-SM", answered_at=NOW, error_code="30008"
    )


def _put_what_became_of_texts(uow: UnitOfWork, kept: Kept) -> None:
    owner, key = kept.owner, kept.key
    about: dict[str, Any] = {
        "contact_id": owner.id(key, "contact"),
        "enrollment_id": owner.id(key, "enrollment"),
        "message_id": kept.texts["delivered"].id,
        "data": {"name": EVENT, "of": owner.tenant},
    }
    entry = kept.rows["timeline"] = TimelineEntry(
        owner.account_id, EntryKind.EVENT_RECEIVED, owner.natural(key, "deal:7"), owner.natural(key, "once"), NOW,
        f"a deal of {owner.tenant}", ref=owner.natural(key, "deal:7"), **about,
    )  # fmt: skip
    assert uow.timeline.add([entry]) == 1
    link = kept.rows["links"] = ShortLinkRow(
        owner.id(key, "link"), owner.account_id, owner.id(key, "code"), "invoice",
        f"https://{owner.tenant}.example.com/7", kept.texts["delivered"].id, NOW,
    )  # fmt: skip
    uow.links.add([link])
    uow.links.click(owner.id(key, "click"), link, NOW, is_person=True)
    day = NOW.date().isoformat()
    spent = kept.rows["traffic"] = Spending(
        owner.account_id, day, GATEWAY, owner.natural(key, JOURNEY), "USD", 7, Decimal("0.07"), day
    )
    uow.traffic.spend([spent])


def _put_wishes(uow: UnitOfWork, kept: Kept) -> None:
    owner, key = kept.owner, kept.key
    effect = kept.rows["effects"] = EffectRow(
        owner.id(key, "effect"), owner.account_id, EffectKind.CALLBACK, owner.natural(key, "effect"),
        f"https://{owner.tenant}.example.com", {"of": owner.tenant}, NOW, LATER, NOW,
        contact_id=owner.id(key, "contact"),
    )  # fmt: skip
    assert uow.effects.add(effect)
    told = {"of": owner.tenant}
    assert uow.effects.end(effect.id, EffectState.FAILED, NOW, error=f"{owner.tenant} was shut", answer=told)
    call = kept.rows["workflow_calls"] = WorkflowCallRow(
        owner.id(key, "call"), owner.account_id, owner.natural(key, "callback"), "contact",
        owner.contact_in_crm(key), {"body": f"hello from {owner.tenant}"}, WaitsFor.DELIVERED,
        kept.texts["queued"].id, NOW, LATER, NOW, workflow=f"{owner.tenant} workflow",
    )  # fmt: skip
    assert uow.workflow_calls.add(call)


def _put_consents(uow: UnitOfWork, kept: Kept) -> None:
    owner, key = kept.owner, kept.key
    event = kept.rows["consents"] = ConsentEvent(
        owner.id(key, "consent"), owner.account_id, owner.number(key), ConsentKind.OPT_OUT, Scope.MARKETING,
        Mechanism.KEYWORD, owner.natural(key, "message"), NOW, wording=f"no more of {owner.tenant}",
        asked=f"more of {owner.tenant}?",
    )  # fmt: skip
    assert uow.consents.record(event)
    assert uow.consents.suppress(event)


def _put_splits(uow: UnitOfWork, kept: Kept) -> None:
    owner, key = kept.owner, kept.key
    journey, people = owner.natural(key, JOURNEY), (owner.id(key, "contact"), owner.id(key, "enrollment"))
    assert uow.splits.assign(owner.account_id, journey, STEP, *people, f"{owner.tenant} arm", NOW)
    assert uow.splits.win(owner.account_id, journey, STEP, WinnerRow(f"{owner.tenant} arm", NOW))


def _put_secrets(uow: UnitOfWork, kept: Kept) -> None:
    owner, key = kept.owner, kept.key
    api_key = kept.rows["api_keys"] = APIKeyRow(
        owner.id(key, "api-key"), owner.account_id, f"shop of {owner.tenant}", f"{owner.tenant}-pre",
        fingerprint(api_secret(owner, key)), frozenset(APIScope), 1_000_000, NOW,
    )  # fmt: skip
    uow.api_keys.add(api_key)
    signing = kept.rows["callback_secrets"] = CallbackSecretRow(
        owner.id(key, "signing"), owner.account_id, f"{owner.account_id}-{key}-signs", NOW
    )
    uow.callback_secrets.add(signing)
    secret = kept.rows["secrets"] = AccountSecretRow(
        owner.id(key, "secret"), owner.account_id, INTAKE if key == OWN else "generic.stripe",
        fingerprint(account_secret(owner, key)), account_secret(owner, key), NOW,
    )  # fmt: skip
    uow.secrets.add(secret)
    install = kept.rows["installs"] = InstallAttemptRow(
        owner.id(key, "install"), owner.crm, fingerprint(install_state(owner, key)), f"{owner.tenant}-verifier",
        owner.account_id, {"of": owner.tenant}, NOW, LATER,
    )  # fmt: skip
    uow.installs.add(install)


def _put_crm_side(uow: UnitOfWork, kept: Kept) -> None:
    owner, key = kept.owner, kept.key
    for kind, subject in (
        (RecordSubject.OPT_OUT_PROPERTY, f"contact:{owner.contact_in_crm(key)}"),
        (RecordSubject.MESSAGE, f"message:{kept.texts['delivered'].id}"),
    ):
        record = kept.rows["records"] = CRMRecordRow(
            owner.id(key, f"record-{kind.value[:3]}"), owner.account_id, owner.crm, kind, subject,
            owner.natural(key, "ref"), NOW, NOW, contact_id=owner.id(key, "contact"),
            contact_crm_id=owner.contact_in_crm(key),
            payload={"msisdn": owner.number(key), "at": NOW.isoformat(), "mechanism": "keyword", "of": owner.tenant},
        )  # fmt: skip
        uow.records.want([record])
    uow.records.mark_refused(record.id, f"{owner.tenant} refuses", NOW)
    uow.polls.ensure(owner.account_id, owner.natural(key, EVENT), NOW)
    uow.cursors.set(owner.account_id, owner.natural(key, "cursor"), f"read so far by {owner.tenant}", NOW)
    erasure = kept.rows["erasures"] = ErasureRow(
        owner.id(key, "erasure"), owner.account_id, owner.crm, owner.external_id, ErasureScope.CONTACT,
        f"{owner.tenant} admin", NOW, subject=owner.id(key, "contact"),
    )  # fmt: skip
    uow.erasures.add(erasure)


def _put_imports(uow: UnitOfWork, kept: Kept) -> None:
    owner, key = kept.owner, kept.key
    run = kept.rows["imports"] = ImportRunRow(
        owner.id(key, "import"), owner.account_id, f"{owner.tenant}.csv", owner.natural(key, "file"),
        {"number": "Mobile"}, {"of": owner.tenant}, f"{owner.tenant} admin", NOW,
    )  # fmt: skip
    uow.imports.add(run)
    trouble = kept.rows["troubles"] = ImportTroubleRow(owner.account_id, run.id, 7, "number", f"not of {owner.tenant}")
    uow.imports.add_troubles([trouble])
