"""How do the systems that we take webhooks from sign them? Written from their pages, not from our own check."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime


def timestamped(secret: str, body: bytes, at: datetime, header: str = "Stripe-Signature") -> dict[str, str]:
    """Sign as Stripe and Calendly do: docs.stripe.com, "Verify webhook signatures manually"."""
    seconds = str(int(at.timestamp()))
    return {header: f"t={seconds},v1={hexed(secret, seconds.encode() + b'.' + body)}"}


def hexed(secret: str, signed: bytes) -> str:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def based(secret: str, signed: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
