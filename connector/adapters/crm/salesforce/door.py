"""Who may come in from Salesforce, and with what?

Outbound messages carry no signature. What proves that they are the customer's own is a secret in the path of the
address, known to one organisation only, and the organisation's id in the message, which must be the one the secret was
made for; both go over TLS.
"""

from __future__ import annotations

from connector.adapters.crm.salesforce.ids import is_same
from connector.adapters.crm.salesforce.outbound_messages import OutboundMessage, read_delivery
from connector.errors import SignatureError


class SalesforceDoor:
    """Takes deliveries apart, for the organisation whose address they came to."""

    def open(self, body: bytes, organization_id: str) -> OutboundMessage:
        """Read a delivery that came to the address of an organisation.

        Raises:
            SignatureError: it is another organisation's.
            UnreadableDeliveryError: it is no outbound message.
        """
        told = read_delivery(body)
        if not is_same(told.organization_id, organization_id):
            raise SignatureError("the message is of another organisation than the address it came to")
        return told
