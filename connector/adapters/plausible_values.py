"""What could stand in a CRM field of this name and kind: as it is most of the time, and at its longest?

A usual value lets the check run every condition and text once; the longest shows what the dearest SMS of a text costs.
The longest values are made up to the length that about one record in a hundred has; all are in the SMS alphabet, so
that what makes a text dear is the text and not the sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from connector.domain.event_mapping import FieldSource, Reads, ValueKind

USUAL_TIME = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
LONGEST_TIME = datetime(2026, 9, 23, 22, 45, tzinfo=UTC)
"""A Wednesday in September: both are the longest of their kind in English, and long in the other languages."""

_Pair = tuple[Any, Any]
"""A usual value and a long one."""

_BY_KIND: Mapping[ValueKind, _Pair] = {
    ValueKind.TEXT: ("Website relaunch", "Website relaunch and migration of the customer area"),
    ValueKind.NUMBER: (Decimal(12), Decimal("12875.25")),
    ValueKind.MONEY: (Decimal("1249.50"), Decimal("128649.75")),
    ValueKind.TIME: (USUAL_TIME, LONGEST_TIME),
    ValueKind.DATE: (date(2026, 11, 20), date(2026, 9, 23)),
    ValueKind.YES_NO: (True, True),
    ValueKind.PIPELINE: ("Demo booked", "Presentation scheduled and confirmed"),
    ValueKind.UPPER: ("HIGH", "WAITING FOR THE CUSTOMER"),
    ValueKind.LOWER: ("open", "waiting for the customer"),
}
_PERSON: _Pair = ("Alexandra Schneider", "Maximilian-Alexander von Hohenstein-Wallerstein")
_LINK: _Pair = (
    "https://pay.example.com/invoices/8f3kd92hq1x7",
    "https://shop.example.com/account/orders/2026/11/8f3kd92hq1x7vm30/track?token=4tq9zc71bn5w8xk2",
)
_BY_NAME: Mapping[str, _Pair] = {
    "id": ("18204417", "182044170356"),
    "owner_id": ("51203", "512034488"),
    "name": _PERSON,
    "first_name": ("Alexandra", "Maximilian-Alexander"),
    "last_name": ("Schneider", "von Hohenstein-Wallerstein"),
    "email": ("alexandra.schneider@example.com", "maximilian.von-hohenstein-wallerstein@mail.example.com"),
    "phone": ("+12025550143", "+12025550143"),
    "company": ("Brightwater Ltd", "Brightwater Consulting and Engineering Services Ltd"),
    "city": ("Manchester", "Newcastle upon Tyne and Wear"),
    "country": ("GB", "GB"),
    "language": ("en", "en"),
    "number": ("INV-20417", "INV-2026-11-0020417-B"),
    "currency": ("EUR", "EUR"),
    "link": _LINK,
    "url": _LINK,
    "tracking_link": _LINK,
    "tracking_number": ("1Z999AA10123456784", "JJD0099902712345678901234"),
    "carrier": ("DHL", "Deutsche Post DHL Express"),
    "status": ("open", "partially refunded"),
    "priority": ("HIGH", "URGENT"),
    "stage": ("Demo booked", "Presentation scheduled and confirmed"),
    "subject": ("Checkout page shows an error", "Checkout page shows an error after the second delivery address"),
    "coupon": ("SAVE10", "WELCOME-BACK-2026-10"),
    "code": ("482913", "482913"),
    "product": ("Coffee beans 1 kg", "Single origin coffee beans, medium roast, 1 kg refill"),
    "plan": ("Team", "Business annual with premium support"),
    "place": ("12 Mill Lane, Manchester", "Suite 4, 128 Northumberland Street, Newcastle upon Tyne NE1 7DQ"),
    "address": ("12 Mill Lane, Manchester", "Suite 4, 128 Northumberland Street, Newcastle upon Tyne NE1 7DQ"),
    "service": ("Check-up", "First consultation with a follow-up check"),
    "with": _PERSON,
    "driver": _PERSON,
    "reference": ("LD-4471", "LD-2026-11-0004471-NORTH"),
    "program": ("Data Science BSc", "Computational Linguistics and Data Science BSc"),
}
"""By the name a field has in texts; `name` of a record that is no person has the value of a text."""

_WRITTEN_TIMES = {"_at": ValueKind.TIME, "_on": ValueKind.DATE}
"""What is read as a text and has such a name is a time or a date as CRMs write them, in ISO 8601."""

_PEOPLE = frozenset({"contact", "owner", "person", "lead", "driver"})
"""Records whose `name` is a person's."""

_OWNER: Mapping[str, _Pair] = {
    "id": _BY_NAME["owner_id"],
    "name": ("Samuel Okafor", "Samuel Oluwaseun Okafor-Richardson"),
    "first_name": ("Samuel", "Samuel"),
    "email": ("samuel.okafor@example.com", "samuel.okafor-richardson@brightwater.example.com"),
}
_ACCOUNT: Mapping[str, _Pair] = {
    "id": ("4471023", "447102355"),
    "name": ("Brightwater", "Brightwater Consulting and Engineering"),
    "time_zone": ("Europe/London", "Europe/London"),
    "currency": ("EUR", "EUR"),
}


def plausible(name: str, source: FieldSource | None = None, *, record: str = "contact", longest: bool = False) -> Any:
    """Give a value for a field: `name` is ours, `source` what it is read as (a text when None)."""
    kind = ValueKind.TEXT if source is None else source.kind
    pair = _BY_KIND[kind]
    if kind is ValueKind.TEXT and name.endswith(tuple(_WRITTEN_TIMES)):
        return _BY_KIND[_WRITTEN_TIMES[name[-3:]]][longest].isoformat()
    if kind is ValueKind.TEXT and (name != "name" or record in _PEOPLE):
        pair = _BY_NAME.get(name, pair)
    return pair[longest]


def sample_record(reads: Reads, record: str = "", *, longest: bool = False) -> dict[str, Any]:
    """Give plausible values of what is read of a record."""
    return {name: plausible(name, source, record=record, longest=longest) for name, source in reads.items()}


def sample_owner(*, longest: bool = False) -> dict[str, Any]:
    """Give plausible values of `owner.*`."""
    return {name: pair[longest] for name, pair in _OWNER.items()}


def sample_account(*, longest: bool = False) -> dict[str, Any]:
    """Give plausible values of `account.*`."""
    return {name: pair[longest] for name, pair in _ACCOUNT.items()}
