"""What does a rep see of a person's consent, and what happens when the rep records what the person said?

A rep speaks for the company: what staff blocked, staff may unblock. The person's own opt-out stands until the person
takes it back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connector.domain.compliance import Compliance
from connector.domain.message import Purpose
from connector.domain.msisdn import time_zones
from connector.domain.permission import Answer, Circumstances, Verdict, may_send
from connector.domain.send_window import ANYTIME, opening
from connector.ports.consents import (
    BY_STAFF,
    LIFTED_BY_OTHERS,
    ConsentEvent,
    ConsentKind,
    Mechanism,
    Scope,
    Suppression,
)
from connector.ports.contacts import ContactRow
from connector.ports.ledger import UnitOfWork
from connector.ports.time import Clock
from connector.services.card_refusals import CardRefusedError
from connector.services.card_times import day, exact
from connector.services.consent import ConsentDesk, OptIn, Saying
from connector.services.consent_words import HOW

EVIDENCE_SHOWN = 50
"""What a person said over years fits; the REST API has all of it."""

LONGEST_WORDING = 1_000
"""Characters of how somebody agreed: a sentence heard on the phone, or the text beside a tick box."""

_SOURCE: Mapping[str, str] = {
    Mechanism.KEYWORD: "reply",
    Mechanism.GATEWAY: "carrier",
    Mechanism.CRM_PROPERTY: "crm",
    Mechanism.API: "program",
    Mechanism.DOUBLE_OPT_IN: "reply",
    Mechanism.STAFF: "card",
    Mechanism.IMPORT: "import",
}

_WHAT: Mapping[tuple[ConsentKind, Scope], str] = {
    (ConsentKind.OPT_OUT, Scope.ALL): "opted out",
    (ConsentKind.OPT_OUT, Scope.MARKETING): "opted out of marketing",
    (ConsentKind.OPT_IN, Scope.ALL): "opted in again",
    (ConsentKind.OPT_IN, Scope.MARKETING): "agreed to marketing",
    (ConsentKind.DOUBTFUL, Scope.ALL): "may have opted out",
    (ConsentKind.DOUBTFUL, Scope.MARKETING): "may have opted out",
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a rep records of a person.

    Attributes:
        wording: how they said it, in their words or the rep's; an opt-in needs it as its proof.
        act: names this act, so that the same one sent again counts once.
        by: who records it.
    """

    kind: ConsentKind
    wording: str = field(default="", repr=False)
    act: str = ""
    by: str = ""


class CardConsent:
    """Shows and records consent.

    Args of the constructor:
        compliance: which purposes need consent, and their hours.
    """

    def __init__(self, desk: ConsentDesk, compliance: Compliance, clock: Clock) -> None:
        self._desk, self._compliance, self._clock = desk, compliance, clock

    def shown(self, uow: UnitOfWork, contact: ContactRow) -> dict[str, Any]:
        """Give how a contact's number stands, why, and by what evidence, newest first."""
        number = contact.msisdn
        blocks = () if number is None else uow.consents.suppressions(contact.account_id, [number]).get(number, ())
        history = () if number is None else uow.consents.history(contact.account_id, number)
        said = None if number is None else uow.consents.marketing_consent(contact.account_id, [number]).get(number)
        state, label = _standing(blocks, said, history, contact.time_zone)
        return {
            "state": state,
            "label": label,
            "purposes": {
                purpose.value: self._purpose(contact, purpose, blocks, said)
                for purpose in (Purpose.TRANSACTIONAL, Purpose.MARKETING)
            },
            "evidence": [_evidence(event) for event in reversed(history[-EVIDENCE_SHOWN:])],
        }

    def verdict(
        self,
        contact: ContactRow,
        purpose: Purpose,
        blocks: Sequence[Suppression],
        said: ConsentKind | None,
        *,
        at_any_hour: bool = False,
    ) -> Verdict:
        """Judge as the claim would, but for caps: they count what was sent by then."""
        zones = (contact.time_zone,) if contact.time_zone else time_zones(contact.msisdn or "")
        window = ANYTIME if at_any_hour else self._compliance.window(None, purpose, contact.country)
        now = self._clock.now()
        case = Circumstances(
            purpose=purpose,
            expires_at=None,
            is_keyword_answer=False,
            journey_has_ended=False,
            suppressed_scopes=frozenset(block.scope.value for block in blocks),
            consent=None if said is None else said.value,
            needs_consent=self._compliance.needs_consent(purpose),
            window=window.name,
            opening=opening(window, zones, now),
            limits=(),
        )
        return may_send(case, now)

    def record(self, uow: UnitOfWork, contact: ContactRow, recorded: Recorded) -> CardRefusedError | None:
        """Keep what a rep says of a person, with all that follows.

        A refusal that leaves a trace is given back, to be raised after the commit.

        Raises:
            CardRefusedError: the contact has no number, or an opt-in comes without its proof.
        """
        if contact.msisdn is None:
            raise CardRefusedError("no_number", contact.msisdn_reason)
        if recorded.kind is ConsentKind.OPT_IN and not recorded.wording.strip():
            raise CardRefusedError("no_wording", "say how they agreed: it is the proof of their consent")
        uow.lock_numbers(contact.account_id, [contact.msisdn])
        said = self._saying(contact, contact.msisdn, recorded)
        if recorded.kind is ConsentKind.OPT_OUT:
            self._desk.opt_out(uow, said, said.at)
            return None
        return self._opt_in(uow, said)

    def _opt_in(self, uow: UnitOfWork, said: Saying) -> CardRefusedError | None:
        """Take staff's own block back and keep the agreement to marketing as evidence."""
        if self._desk.opt_in(uow, said, said.at) is OptIn.BLOCK_STANDS:
            return CardRefusedError("opted_out", "they opted out themselves, and only they can take that back")
        blocks = uow.consents.suppressions(said.account_id, [said.msisdn]).get(said.msisdn, ())
        block = next((each for each in blocks if each.scope is Scope.MARKETING), None)
        if block is not None and block.mechanism not in BY_STAFF:
            return CardRefusedError("opted_out", "they opted out of marketing themselves")
        if self._desk.agree_to_marketing(uow, said) and block is not None:
            uow.consents.lift(said.account_id, said.msisdn, Scope.MARKETING)
        return None

    def _saying(self, contact: ContactRow, msisdn: str, recorded: Recorded) -> Saying:
        return Saying(
            account_id=contact.account_id,
            msisdn=msisdn,
            mechanism=Mechanism.STAFF,
            source=f"card:{recorded.act}",
            at=self._clock.now(),
            contact_id=contact.id,
            wording=recorded.wording.strip() + (f" (recorded by {recorded.by})" if recorded.by else ""),
            jurisdiction=contact.country,
        )

    def _purpose(
        self, contact: ContactRow, purpose: Purpose, blocks: Sequence[Suppression], said: ConsentKind | None
    ) -> dict[str, Any]:
        if contact.msisdn is None:
            return {"may": False, "why": contact.msisdn_reason}
        verdict = self.verdict(contact, purpose, blocks, said)
        return {"may": verdict.answer is not Answer.SUPPRESS, "why": verdict.reason}


def _standing(
    blocks: Sequence[Suppression], said: ConsentKind | None, history: Sequence[ConsentEvent], zone: str | None
) -> tuple[str, str]:
    """Say in a word and in a sentence how a number stands; what forbids most goes first."""
    for scope, words in ((Scope.ALL, "Opted out"), (Scope.MARKETING, "Opted out of marketing")):
        block = next((each for each in blocks if each.scope is scope), None)
        if block is not None:
            return "opted_out", f"{words} on {day(block.since, zone)} {HOW[Mechanism(block.mechanism)]}"
    if said is ConsentKind.DOUBTFUL:
        return "doubtful", "A reply may have been an opt-out: somebody has to look"
    if said is ConsentKind.OPT_IN:
        agreed = next((each for each in reversed(history) if _is_opt_in(each) and not _is_block_lifted(each)), None)
        return "opted_in", "Opted in" + _when(agreed.at if agreed else None, zone, agreed.mechanism if agreed else "")
    if said is ConsentKind.OPT_OUT:  # and nothing is blocked any more
        lifted = next((each for each in reversed(history) if _is_block_lifted(each)), None)
        taken_back = _when(lifted.at if lifted else None, zone, lifted.mechanism if lifted else "")
        return "not_asked", f"Opt-out taken back{taken_back}; has not agreed to marketing"
    return "not_asked", "Has not been asked about marketing"


def _is_opt_in(event: ConsentEvent) -> bool:
    return event.kind is ConsentKind.OPT_IN


def _is_block_lifted(event: ConsentEvent) -> bool:
    """Tell whether somebody else only took their own block back: that proves no consent of the person's."""
    return _is_opt_in(event) and event.scope is Scope.ALL and event.mechanism in LIFTED_BY_OTHERS


def _when(at: datetime | None, zone: str | None, mechanism: str) -> str:
    return "" if at is None else f" on {day(at, zone)} {HOW[Mechanism(mechanism)]}"


def _evidence(event: ConsentEvent) -> dict[str, str]:
    how = HOW[Mechanism(event.mechanism)]
    if event.mechanism == Mechanism.KEYWORD and event.wording:
        how = f"text {event.wording[:_SHORT]}"
    return {
        "at": exact(event.at),
        "what": _WHAT[event.kind, event.scope],
        "how": how,
        "source": _SOURCE[event.mechanism],
        "wording": event.wording,
    }


_SHORT = 40  # characters of a reply in a line; the whole of it stands under `wording`
