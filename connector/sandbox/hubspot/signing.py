"""How does HubSpot sign its requests?

developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
"""

import base64
import hashlib
import hmac

# The escapes HubSpot decodes before it signs, these and no others.
DECODED = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$",
    "%27": "'", "%28": "(", "%29": ")", "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip


def sign_v1(body: str | bytes, secret: str) -> str:
    """Hex SHA-256 of secret and body: what CRM webhooks still carry beside v3."""
    return hashlib.sha256(secret.encode() + _bytes(body)).hexdigest()


def sign_v2(method: str, uri: str, body: str | bytes, secret: str) -> str:
    """Hex SHA-256 of secret, method, URI and body: custom workflow actions."""
    return hashlib.sha256(f"{secret}{method}{uri}".encode() + _bytes(body)).hexdigest()


def sign_v3(method: str, uri: str, body: str | bytes, timestamp: int | str, secret: str) -> str:
    """Base64 HMAC-SHA-256 over method, decoded URI, raw body and timestamp (epoch milliseconds)."""
    signed = f"{method}{decoded(uri)}".encode() + _bytes(body) + str(timestamp).encode()
    return base64.b64encode(hmac.digest(secret.encode(), signed, "sha256")).decode()


def decoded(uri: str) -> str:
    """The URI with the listed escapes decoded, in either case of their hex digits."""
    for escape, character in DECODED.items():
        uri = uri.replace(escape, character).replace(escape.lower(), character)
    return uri


def _bytes(body: str | bytes) -> bytes:
    return body.encode() if isinstance(body, str) else body
