"""Which text do the tests of all gateways send, from whom and to whom? Numbers are reserved for fiction."""

from __future__ import annotations

from datetime import timedelta

from connector.ports.gateway import OutgoingSMS

NUMBER, SENDER, BODY = "+12025550143", "+12025550100", "Your table is booked for 19:30 ✓"


def sms(attempt_id: str = "attempt-1", body: str = BODY, sender: str | None = None) -> OutgoingSMS:
    return OutgoingSMS(
        attempt_id,
        NUMBER,
        body,
        sender,
        f"https://sms.example.com/callbacks/status/{attempt_id}",
        valid_for=timedelta(hours=1),
    )
