"""How do we know the callbacks of a gateway that does not sign them? By a key in the address that only it was told."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from urllib.parse import urlencode

from connector.adapters.sms.reading import query_fields
from connector.errors import SignatureError
from connector.ports.gateway import CallbackRequest

PARAMETER = "key"


def with_key(url: str, keys: Sequence[str]) -> str:
    """Add the newest key to the address a gateway is to call; unchanged while there is none."""
    if not keys:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode({PARAMETER: keys[0]})}"


def check_key(request: CallbackRequest, keys: Sequence[str]) -> None:
    """Accept a callback whose address carries one of our keys.

    Raises:
        SignatureError: it carries none, or no key is configured.
    """
    given = dict(query_fields(request.url)).get(PARAMETER, "").encode()
    if not given or not any(hmac.compare_digest(given, key.encode()) for key in keys if key):
        raise SignatureError("the callback's address does not carry our key")
