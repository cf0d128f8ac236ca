"""How would a text look on the phone, in how many SMS, at what price, and what about it is wrong?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.domain.compliance import Compliance
from connector.domain.gateway_book import GatewayBook
from connector.domain.message import Purpose
from connector.domain.msisdn import normalise, time_zones
from connector.domain.segments import Encoding, Segmentation, foreign_characters, measure, replace_smart_characters
from connector.errors import ConditionError
from connector.ports.contacts import ContactRow
from connector.ports.ledger import AccountRow
from connector.ports.rendering import TemplateRenderer
from connector.services.card_contacts import CardContact

LONGEST_BODY = 1_600
"""Characters: Twilio refuses longer bodies with error 21617 (twilio.com/docs/api/errors/21617)."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A text that a rep thinks of sending: typed, or a template by folder and name. One of the two is given."""

    body: str | None = field(default=None, repr=False)
    template: str | None = None


@dataclass(frozen=True, slots=True)
class PreviewTools:
    """What a preview takes.

    Attributes:
        templates: renders templates with stand-ins for short links.
        gateway: for accounts that name none.
        first_gateways: the first gateway in use of each route, by the route's name.
    """

    templates: TemplateRenderer
    book: GatewayBook
    compliance: Compliance
    gateway: str
    first_gateways: Mapping[str, str]


class CardPreviews:
    """Previews drafts; writes nothing."""

    def __init__(self, tools: PreviewTools) -> None:
        self._tools = tools

    def preview(self, of: CardContact, draft: Draft, names: Mapping[str, Any]) -> dict[str, Any]:
        """Give a draft as its reader would get it.

        Args:
            of: who would get it.
            draft: the text.
            names: what its template may say of them.
        """
        text, mistakes = draft.body or "", list[str]()
        if draft.template is not None:
            try:
                text = self._rendered(of, draft.template, names)
            except ConditionError as error:
                mistakes.append(str(error))
        country = country_of(of.contact)
        body = as_sent(of.account, self._tools.book, country, text)
        size = measure(body)
        if len(body) > LONGEST_BODY:
            mistakes.append(f"the text has {len(body)} characters; {LONGEST_BODY} is the most")
        return {
            "body": body,
            "encoding": size.encoding.value,
            "segments": size.count,
            "characters": len(body),
            "left": size.left,
            "price": self._price(size, country),
            "warnings": self._warnings(body, size),
            "mistakes": mistakes,
        }

    def _rendered(self, of: CardContact, template: str, names: Mapping[str, Any]) -> str:
        contact = of.contact
        zones = (contact.time_zone,) if contact.time_zone else time_zones(contact.msisdn or "")
        locale = contact.locale or of.account.settings.get("locale")
        rendered = self._tools.templates.render(
            template, names, locale=locale, time_zone=zones[0] if zones else None, links=None
        )
        return rendered.text

    def _price(self, size: Segmentation, country: str | None) -> dict[str, str] | None:
        """Estimate by the list prices of the gateway that texts of this purpose go through first."""
        tools = self._tools
        gateway = tools.first_gateways.get(Purpose.TRANSACTIONAL.value, tools.gateway)
        price = tools.book.price(gateway, size.count, country)
        return None if price is None else {"amount": str(price.amount), "currency": price.currency}

    def _warnings(self, body: str, size: Segmentation) -> list[str]:
        warnings = []
        if size.encoding is Encoding.UCS2:
            strange = " ".join(foreign_characters(body)[:5])
            warnings.append(
                f"{strange} cannot be written in the plain SMS alphabet: an SMS holds 70 characters, not 160"
            )
        most = self._tools.compliance.purposes[Purpose.TRANSACTIONAL.value].most_segments
        if size.count > most:
            warnings.append(f"it takes {size.count} SMS; more than {most} are seldom read to the end")
        return warnings


def country_of(contact: ContactRow) -> str | None:
    """Give the country of a contact's number; None for a number of no country, or none at all."""
    if contact.msisdn is None:
        return contact.country
    region = normalise(contact.msisdn, []).region
    return region if len(region) == 2 else None


def as_sent(account: AccountRow, book: GatewayBook, country: str | None, text: str) -> str:
    """Write a text as it goes out: without typographic characters if the account wants that, in the country's way."""
    plain = replace_smart_characters(text) if account.settings.get("replace_smart_characters", True) else text
    return book.country(country).written(plain)
