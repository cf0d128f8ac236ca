"""Which one-time code belongs to a name?

HMAC-SHA256 of the name under a key derived (HKDF) from one of the texts in `SECRET_KEYS`, newest first, taken modulo
a power of ten: the 256 bits make its bias immeasurable. A code is never kept; only the id of its secret is, so that it
survives a new secret being added. It dies with its secret, as everything sealed with that secret does.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_ID_DIGITS = 8  # enough to tell a handful of secrets apart


class HMACCodes:
    """Codes made of the texts in `SECRET_KEYS`; see `connector.ports.codes.Codes`."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """`secrets` come newest first and are checked by `adapters.secrets.Vault`; there is at least one."""
        keys = [_derive(secret) for secret in secrets]
        self.newest = _id(keys[0])
        self._keys: Mapping[str, bytes] = {_id(key): key for key in reversed(keys)}

    def code(self, name: str, length: int, secret_id: str = "") -> str:
        """Give the code of a name, made with the secret of that id, or with the newest when there is none such."""
        key = self._keys.get(secret_id) or self._keys[self.newest]
        digest = hmac.digest(key, f"{length}:{name}".encode(), "sha256")
        return str(int.from_bytes(digest) % 10**length).zfill(length)


def _derive(secret: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"sms-connector one-time codes").derive(secret.encode())


def _id(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:_ID_DIGITS]
