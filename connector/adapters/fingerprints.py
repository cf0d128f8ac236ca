"""Which fingerprint belongs to a text?

HMAC-SHA256 under a key derived (HKDF) from one of the texts in `SECRET_KEYS`, newest first, cut to 160 bits, behind the
id of its secret. A plain hash would not do: a text to a known number that holds a six-digit code has a million
possible hashes, which anybody with a copy of the ledger could try.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_ID_DIGITS = 8  # enough to tell a handful of secrets apart
_DIGITS = 40  # hex, 160 bits: no two orders of an account meet by chance


class HMACFingerprints:
    """Fingerprints under the texts in `SECRET_KEYS`; see `connector.ports.fingerprints.Fingerprints`."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """`secrets` come newest first and are checked by `adapters.secrets.Vault`; there is at least one."""
        keys = [_derive(secret) for secret in secrets]
        self._newest = _id(keys[0])
        self._keys: Mapping[str, bytes] = {_id(key): key for key in reversed(keys)}

    def make(self, text: str) -> str:
        """Give the fingerprint of a text, at most 64 characters."""
        return self._made(self._newest, text)

    def matches(self, fingerprint: str, text: str) -> bool:
        """Tell whether a fingerprint is of this very text; False as well when its secret is gone."""
        secret_id = fingerprint.partition(":")[0]
        return secret_id in self._keys and hmac.compare_digest(fingerprint, self._made(secret_id, text))

    def _made(self, secret_id: str, text: str) -> str:
        digest = hmac.digest(self._keys[secret_id], text.encode("utf-8", "replace"), "sha256")
        return f"{secret_id}:{digest.hex()[:_DIGITS]}"


def _derive(secret: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"sms-connector fingerprints").derive(secret.encode())


def _id(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:_ID_DIGITS]
