"""How does the emulated Plivo sign its callbacks?

Source: plivo.com/docs/messaging/concepts/signature-validation, version 3; written on purpose without a look at the
connector's own check, so that a test may hold one against the other.
"""

import base64
import hashlib
import hmac
from urllib.parse import parse_qs, urlsplit

from connector.sandbox.gateways.skin import Call


def signature_v3(call: Call, auth_token: str, nonce: str) -> str:
    """The value of `X-Plivo-Signature-V3` for a call with a form or with everything in its query."""
    address = urlsplit(call.url)
    base = f"{address.scheme}://{address.netloc}{address.path}"
    query = _sorted(address.query)
    form = _sorted(call.body.decode()) if call.method == "POST" else []
    if query or form:
        base += "?" + "&".join(f"{name}={value}" for name, value in query)
    if query and form:
        base += "."
    base += "".join(name + value for name, value in form)
    digest = hmac.new(auth_token.encode(), f"{base}.{nonce}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _sorted(text: str) -> list[tuple[str, str]]:
    fields = parse_qs(text, keep_blank_values=True)
    return [(name, value) for name in sorted(fields) for value in sorted(fields[name])]
