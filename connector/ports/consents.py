"""How do services read and write who agreed to what?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Scope(StrEnum):
    """What a consent or a suppression covers."""

    ALL = "all"
    MARKETING = "marketing"


class ConsentKind(StrEnum):
    """What somebody said."""

    OPT_IN = "opt_in"
    OPT_OUT = "opt_out"
    DOUBTFUL = "doubtful"  # may be a revocation: no marketing until a person has looked


class Mechanism(StrEnum):
    """How somebody said it; decides who may take it back."""

    KEYWORD = "keyword"  # a reply
    GATEWAY = "gateway"  # the gateway or carrier knows of an opt-out
    CRM_PROPERTY = "crm_property"  # the flag was changed in the CRM
    API = "api"  # a program of the account's, such as its shop, told us
    DOUBLE_OPT_IN = "double_opt_in"  # a reply that confirmed, to a text that asked for it
    STAFF = "staff"  # a rep recorded on the card what the person said
    IMPORT = "import"  # a file of what people had said elsewhere


BY_STAFF = frozenset({Mechanism.CRM_PROPERTY, Mechanism.STAFF})
"""Ways in which people of the account speak: what one of them blocked, another may unblock."""

LIFTED_BY_OTHERS = frozenset({Mechanism.CRM_PROPERTY, Mechanism.API, Mechanism.STAFF})
"""Whose opt-in to all texts only takes their own block back: it is no consent of the person's to marketing."""


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """Evidence: who said what, when, how, in which words.

    Attributes:
        mechanism: one of `Mechanism`, as text.
        wording: the exact words, or empty.
        asked: the exact text that asked for it, or empty.
        source: where it came from, such as `message:<id>`; the same source never counts twice.
    """

    id: str
    account_id: str
    msisdn: str = field(repr=False)
    kind: ConsentKind
    scope: Scope
    mechanism: str
    source: str
    at: datetime
    contact_id: str | None = None
    wording: str = field(default="", repr=False)
    asked: str = field(default="", repr=False)
    jurisdiction: str | None = None


@dataclass(frozen=True, slots=True)
class Suppression:
    """A standing "never".

    Attributes:
        mechanism: of the consent event that made it: who may lift it hangs on that.
    """

    msisdn: str = field(repr=False)
    scope: Scope
    consent_event_id: str
    since: datetime
    mechanism: str


class ConsentRepository(Protocol):
    """Evidence, and the suppressions that follow from it."""

    def record(self, event: ConsentEvent) -> bool:
        """Append evidence; False when the same source said it before. Does not change suppressions."""
        ...

    def suppress(self, event: ConsentEvent) -> bool:
        """Make the number suppressed because of `event`; False when it was already."""
        ...

    def lift(self, account_id: str, msisdn: str, scope: Scope) -> bool:
        """Remove a suppression; False when there was none."""
        ...

    def suppressions(self, account_id: str, msisdns: Sequence[str]) -> Mapping[str, Sequence[Suppression]]:
        """Read the suppressions of numbers; a number without any is absent."""
        ...

    def marketing_consent(self, account_id: str, msisdns: Sequence[str]) -> Mapping[str, ConsentKind]:
        """Give the latest word of each number about marketing, whichever scope it was said in; a number that never
        said anything is absent. That people of the CRM or programs lift their own block is no word of the
        number's.
        """
        ...

    def history(self, account_id: str, msisdn: str) -> Sequence[ConsentEvent]:
        """Read all evidence about a number, oldest first."""
        ...
