"""What does a text cost with a pretend gateway?"""

from decimal import Decimal

from connector.sandbox.gateways.messages import Message

# Per segment in US dollars, near what vendors list in 2026; the last one stands for everywhere else.
PRICES = (("+1", Decimal("0.00830")), ("+44", Decimal("0.04630")), ("", Decimal("0.07500")))


def price_of(message: Message) -> Decimal:
    """What all segments cost, in US dollars."""
    each = next(price for prefix, price in PRICES if message.to.startswith(prefix))
    return each * message.segments
