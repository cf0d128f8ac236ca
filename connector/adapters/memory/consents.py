"""Where is it kept in memory who agreed to what, and whom we never text again?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from connector.adapters.memory.documents import kept_text
from connector.adapters.memory.shelves import Group, Journal, Shelf
from connector.ports.consents import LIFTED_BY_OTHERS, ConsentEvent, ConsentKind, Scope, Suppression

_Standing = tuple[str, Suppression]
"""The account, and what holds in it."""


class MemoryConsentRepository:
    """Evidence and suppressions; see `connector.ports.consents.ConsentRepository`."""

    def __init__(self, journal: Journal) -> None:
        self._by_number: Group[ConsentEvent] = Group(lambda event: (event.account_id, event.msisdn))
        self._evidence: Shelf[ConsentEvent] = Shelf(journal, self._by_number)
        self._of_number: Group[_Standing] = Group(lambda standing: (standing[0], standing[1].msisdn))
        self._suppressions: Shelf[_Standing] = Shelf(journal, self._of_number)

    def record(self, event: ConsentEvent) -> bool:
        """Append evidence; False when the same source said it before."""
        key = (event.account_id, event.msisdn, event.kind, event.scope, event.source)
        if key in self._evidence.rows:
            return False
        self._evidence.put(key, replace(event, wording=kept_text(event.wording), asked=kept_text(event.asked)))
        return True

    def suppress(self, event: ConsentEvent) -> bool:
        """Make the number suppressed because of `event`; False when it was already."""
        key = (event.account_id, event.msisdn, event.scope)
        if key in self._suppressions.rows:
            return False
        made = Suppression(event.msisdn, event.scope, event.id, event.at, event.mechanism)
        self._suppressions.put(key, (event.account_id, made))
        return True

    def lift(self, account_id: str, msisdn: str, scope: Scope) -> bool:
        """Remove a suppression; False when there was none."""
        return self._suppressions.drop((account_id, msisdn, scope))

    def suppressions(self, account_id: str, msisdns: Sequence[str]) -> Mapping[str, Sequence[Suppression]]:
        """Read the suppressions of numbers; a number without any is absent."""
        found: dict[str, list[Suppression]] = {}
        for msisdn in msisdns:
            standing = self._suppressions.of(self._of_number.of((account_id, msisdn)))
            if standing:
                found[msisdn] = sorted((each for _, each in standing), key=lambda each: each.since)
        return found

    def marketing_consent(self, account_id: str, msisdns: Sequence[str]) -> Mapping[str, ConsentKind]:
        """Give the latest word of each number about marketing; a number that never said anything is absent."""
        return {
            msisdn: event.kind
            for msisdn in msisdns
            for event in self.history(account_id, msisdn)
            if not _is_block_lifted(event)
        }

    def history(self, account_id: str, msisdn: str) -> Sequence[ConsentEvent]:
        """Read all evidence about a number, oldest first."""
        events = self._evidence.of(self._by_number.of((account_id, msisdn)))
        return sorted(events, key=lambda event: (event.at, event.id))


def _is_block_lifted(event: ConsentEvent) -> bool:
    by_others = event.mechanism in LIFTED_BY_OTHERS
    return by_others and event.kind is ConsentKind.OPT_IN and event.scope is Scope.ALL
