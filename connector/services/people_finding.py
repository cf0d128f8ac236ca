"""Which contacts of the CRM does a system mean that names a person by CRM id, e-mail address or phone number?

Names are tried in the order given, and only as far as needed: most are known by the first one. One search per hundred
e-mail addresses, one per number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from connector.domain.msisdn import normalise
from connector.domain.webhook_sources import NamedBy, PersonName
from connector.errors import InvalidNumberError
from connector.ports.crm import CRM, CRMAccount

_TOGETHER = 100
"""E-mail addresses in one search: HubSpot takes at most so many values behind IN, and no CRM we know fewer."""

_CALLED: Mapping[NamedBy, str] = {
    NamedBy.CRM_ID: "CRM id",
    NamedBy.EMAIL: "e-mail address",
    NamedBy.NUMBER: "phone number",
}


def chosen_person(
    names: Sequence[PersonName], found: Mapping[PersonName, tuple[str, ...]]
) -> tuple[tuple[str, ...], str]:
    """Give the contacts that the first name means by which somebody was found, and how that was; never the name."""
    for name in names:
        ids = found.get(name, ())
        if ids:
            first = "" if len(ids) == 1 else f", the first of {len(ids)} contacts"
            return ids, f"found by {_CALLED[name.by]}{first}"
    if not names:
        return (), "the webhook names nobody"
    tried = " or ".join(dict.fromkeys(_CALLED[name.by] for name in names))
    return (), f"no contact has the {tried} that the webhook names"


def is_settled(names: Sequence[PersonName], found: Mapping[PersonName, tuple[str, ...]]) -> bool:
    """Tell whether it is known whom names mean: none of those that go before the one that decides was left unasked."""
    for name in names:
        if name not in found or found[name]:
            return name in found
    return True


class PeopleFinder:
    """Looks people up in one account's CRM; raises `CRMError`s only.

    Args of the constructor:
        email: the CRM's property that has the e-mail address.
    """

    def __init__(self, crm: CRM, account: CRMAccount, email: str) -> None:
        self._crm, self._account, self._email = crm, account, email

    def find(
        self, people: Sequence[Sequence[PersonName]], most_numbers: int | None = None
    ) -> dict[PersonName, tuple[str, ...]]:
        """Find people, each by their first name that means somebody; what was asked for in vain maps to nothing.

        Args:
            people: the names of each, the best first.
            most_numbers: searches for a number that may be made, None for as many as needed; numbers beyond are absent.
        """
        found: dict[PersonName, tuple[str, ...]] = {}
        for turn in range(max(map(len, people), default=0)):
            asked = [names[turn] for names in people if len(names) > turn and not any(map(found.get, names[:turn]))]
            self._ask([name for name in dict.fromkeys(asked) if name not in found], found, most_numbers)
        return found

    def _ask(
        self, names: Sequence[PersonName], found: dict[PersonName, tuple[str, ...]], most_numbers: int | None
    ) -> None:
        found |= self._by_id([name for name in names if name.by is NamedBy.CRM_ID])
        found |= self._by_email([name for name in names if name.by is NamedBy.EMAIL])
        numbers = [name for name in names if name.by is NamedBy.NUMBER]
        if most_numbers is not None:
            numbers = numbers[: max(0, most_numbers - sum(name.by is NamedBy.NUMBER for name in found))]
        found |= {name: self._by_number(name.text) for name in numbers}

    def _by_id(self, names: Sequence[PersonName]) -> dict[PersonName, tuple[str, ...]]:
        if not names:
            return {}
        known = self._crm.read_contacts(self._account, [name.text for name in names], {})
        return {name: (name.text,) if name.text in known else () for name in names}

    def _by_email(self, names: Sequence[PersonName]) -> dict[PersonName, tuple[str, ...]]:
        """E-mail addresses are compared as CRMs do: capitals make no difference."""
        ids: dict[str, Sequence[str]] = {}
        for some in _in_parts(sorted({name.text.lower() for name in names})):
            ids |= self._crm.find_contacts_by_email(self._account, some, self._email)
        return {name: tuple(ids.get(name.text.lower(), ())) for name in names}

    def _by_number(self, text: str) -> tuple[str, ...]:
        region = self._account.settings.get("default_region")
        try:
            number = normalise(text, [str(region)] if region else []).e164
        except InvalidNumberError:
            return ()
        return tuple(self._crm.find_contacts_by_number(self._account, number))


def _in_parts(texts: Sequence[str]) -> Iterable[Sequence[str]]:
    return (texts[first : first + _TOGETHER] for first in range(0, len(texts), _TOGETHER))
