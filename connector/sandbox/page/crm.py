"""What must a pretend CRM offer, so that the page can show it, work in it and open its record card?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from connector.sandbox.page.cards import Cards

JSON = dict[str, Any]


class View(Protocol):
    """Reads one CRM's records in the shapes the page's scripts read."""

    @property
    def time_zone(self) -> str:
        """The IANA zone the CRM's people work in."""

    def records(self) -> JSON:
        """`portal`, `stages`, `deals`, `invoices`, `tickets`, `priorities` and `contacts`."""


class Desk(Protocol):
    """A person at one CRM's screens. Mistakes are ValueError with a sentence to show."""

    def move_deal(self, deal_id: str, stage: str) -> None:
        """Put a deal into another column."""

    def pay_invoice(self, invoice_id: str) -> None:
        """Settle an invoice in full."""

    def set_due_date(self, invoice_id: str, due_on: str) -> None:
        """Move an invoice's due date, an ISO day."""

    def raise_ticket(self, contact_id: str, subject: str, priority: str) -> str:
        """File a ticket for a contact; its id."""

    def set_priority(self, ticket_id: str, priority: str) -> None:
        """Change how urgent a ticket is."""


@dataclass(frozen=True)
class Side:
    """One CRM of the page.

    Attributes:
        slug: as the connector knows it, such as `hubspot`.
        label: as people do.
        object_type: gives the kind of a person's record, `contact` or `lead`, by its id.
        on_change: calls what it is given after every change.
    """

    slug: str
    label: str
    view: View
    desk: Desk
    cards: Cards
    object_type: Callable[[str], str]
    on_change: Callable[[Callable[[Any], None]], None]
