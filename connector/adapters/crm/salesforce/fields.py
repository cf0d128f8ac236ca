"""Which fields does an object have in this organisation, as our user sees them, and how is a text put into one?

Salesforce refuses a whole query or batch for one field it does not know, so only what the object's description lists
is ever asked for or written. It lists what our user may see: a missing permission looks like a missing field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from connector.adapters.crm.remembering import Memory
from connector.adapters.crm.salesforce.calls import OrgCalls
from connector.adapters.crm.salesforce.errors import UNKNOWN_NAMES
from connector.adapters.crm.salesforce.names import checked
from connector.errors import CRMRefusedError
from connector.ports.crm import CRMAccount

_NUMBERS = frozenset({"double", "currency", "percent", "int", "long"})
MULTIPLE_CHOICE = "multipicklist"
"""Kind of a field that holds several of its choices, with semicolons between."""

_PICKLISTS = frozenset({"picklist", "combobox", MULTIPLE_CHOICE})
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        kind: `string`, `boolean`, `datetime`, `reference` …
        length: the most characters, 0 when there is no limit.
        choices: values of a picklist that may be chosen.
        leads_to: objects a reference may lead to.
    """

    name: str
    kind: str
    length: int = 0
    choices: tuple[str, ...] = ()
    leads_to: frozenset[str] = frozenset()
    may_update: bool = True

    def choice(self, wanted: str) -> str | None:
        """Give the value of the picklist that is `wanted` in some capitals, or None."""
        return next((each for each in self.choices if each.casefold() == wanted.casefold()), None)

    def value(self, text: str) -> Any:
        """Put a text as people of other CRMs write it into this field's JSON; an empty one empties the field.

        Raises:
            CRMRefusedError: it is none of the field's kind.
        """
        if not text:
            return False if self.kind == "boolean" else None
        if self.kind == "boolean":
            return _yes_or_no(self.name, text)
        if self.kind in _NUMBERS:
            return _number(self.name, text)
        if self.kind in {"date", "datetime"}:
            return _moment(self.name, text, self.kind)
        if self.kind in _PICKLISTS:
            chosen = text.split(";") if self.kind == MULTIPLE_CHOICE else [text]
            return ";".join(self.choice(each.strip()) or each.strip() for each in chosen)
        return text

    def cut(self, text: str) -> str:
        """Give as much of a text as fits; Salesforce refuses the whole row for one letter too many."""
        return text if not self.length or len(text) <= self.length else text[: self.length - 1] + "…"


Fields = Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class OrgFields:
    """Describes objects, and remembers."""

    calls: OrgCalls
    memory: Memory

    def of(self, account: CRMAccount, api_name: str) -> Fields:
        """Give an object's fields by name; none at all for an object the organisation does not have."""
        found: Fields = self.memory.recall(
            account.account_id, f"describe:{api_name}", lambda: self._described(account, checked(api_name))
        )
        return found

    def forget(self, account: CRMAccount) -> None:
        """Describe anew: the organisation has changed since."""
        self.memory.forget(account.account_id)

    def with_present(self, account: CRMAccount, ask: Callable[[], T]) -> T:
        """Ask something by what is remembered of the objects; once more where the organisation has changed since."""
        try:
            return ask()
        except CRMRefusedError as error:
            if error.category not in UNKNOWN_NAMES:
                raise
        self.forget(account)
        return ask()

    def _described(self, account: CRMAccount, api_name: str) -> Fields:
        try:
            told = self.calls.rest(account, f"describe {api_name}", f"sobjects/{api_name}/describe")
        except CRMRefusedError as error:
            if error.status != 404:
                raise
            return {}
        return {each["name"]: _field(each) for each in (told or {}).get("fields") or ()}


def has(fields: Fields, name: str) -> bool:
    """Whether an object has a field, or for `Account.Name` the reference it goes through."""
    return name in fields or ("." in name and f"{name.partition('.')[0]}Id" in fields)


def _field(told: Mapping[str, Any]) -> Field:
    choices = [each for each in told.get("picklistValues") or () if each.get("active", True)]
    return Field(
        name=str(told["name"]),
        kind=str(told.get("type") or "string"),
        length=int(told.get("length") or 0),
        choices=tuple(str(each.get("value") or "") for each in choices),
        leads_to=frozenset(str(each) for each in told.get("referenceTo") or ()),
        may_update=bool(told.get("updateable", True)),
    )


def _yes_or_no(name: str, text: str) -> bool:
    found = {"true": True, "false": False}.get(text.lower())
    if found is None:
        raise CRMRefusedError(
            f"{name} takes true or false only", status=400, category="INVALID_TYPE_ON_FIELD_IN_RECORD"
        )
    return found


def _number(name: str, text: str) -> int | float:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise CRMRefusedError(f"{name} takes numbers only", status=400, category="INVALID_TYPE_ON_FIELD_IN_RECORD")
    return int(number) if number == number.to_integral_value() and abs(number) < 10**15 else float(number)


def _moment(name: str, text: str, kind: str) -> str:
    """ISO 8601, or the milliseconds since 1970 that some event files and other CRMs use."""
    moment = parsed_moment(text)
    if moment is None:
        raise CRMRefusedError(f"{name} takes times only", status=400, category="INVALID_TYPE_ON_FIELD_IN_RECORD")
    return moment.date().isoformat() if kind == "date" else timestamp(moment)


def parsed_moment(text: str) -> datetime | None:
    """Read ISO 8601 or milliseconds since 1970; without a zone it is UTC."""
    try:
        if text.lstrip("-").isdigit():
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def timestamp(moment: datetime) -> str:
    """Write a moment as Salesforce writes it: UTC, milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
