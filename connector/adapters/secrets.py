"""How are tokens and bodies kept unreadable at rest?

AES-256-GCM with the account and column as associated data, so that a ciphertext moved to another account or column
does not open. Layout: 1 byte version, 4 bytes key id, 12 bytes nonce, ciphertext and tag. Keys are derived from the
texts in `SECRET_KEYS`, newest first: the first one seals, any of them opens.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from connector.errors import ConfigurationError, DecryptionError, MissingKeyError

_VERSION = b"\x01"
_KEY_ID_BYTES = 4  # enough to tell a handful of keys apart; the tag, not the id, proves the key
_NONCE_BYTES = 12  # the size GCM is specified for (NIST SP 800-38D)
BEGINNING_BYTES = 1 + _KEY_ID_BYTES
HEADER_BYTES = BEGINNING_BYTES + _NONCE_BYTES
_MIN_SECRET_LENGTH = 32  # 128 bits even when written in hex


class Vault:
    """Seals and opens column values.

    Args:
        secrets: texts of at least 32 characters, newest first.

    Raises:
        ConfigurationError: no secret, or one that is too short.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets or any(len(secret) < _MIN_SECRET_LENGTH for secret in secrets):
            raise ConfigurationError(
                f"SECRET_KEYS needs at least one secret of {_MIN_SECRET_LENGTH} or more characters, "
                'such as the output of: python -c "import secrets; print(secrets.token_hex(32))"'
            )
        keys = [_derive(secret) for secret in secrets]
        self._sealing_id = keys[0][0]
        self._ciphers = dict(reversed(keys))

    @property
    def beginnings(self) -> Sequence[bytes]:
        """What ciphertexts begin with whose key is here, `BEGINNING_BYTES` long: this tells without opening them."""
        return [_VERSION + key_id for key_id in self._ciphers]

    def seal(self, clear: str | bytes, *, account: str, column: str) -> bytes:
        """Encrypt a value for one account's column; `account` is empty for rows that belong to none yet."""
        nonce = os.urandom(_NONCE_BYTES)
        data = clear.encode() if isinstance(clear, str) else clear
        sealed = self._ciphers[self._sealing_id].encrypt(nonce, data, _bound(account, column))
        return _VERSION + self._sealing_id + nonce + sealed

    def open(self, sealed: bytes, *, account: str, column: str) -> bytes:
        """Decrypt a value.

        Raises:
            DecryptionError: wrong account or column, or altered.
            MissingKeyError: sealed with a key that is not in `SECRET_KEYS`.
        """
        if len(sealed) < HEADER_BYTES:
            raise DecryptionError(f"{column}: the ciphertext is cut short")
        key_id, nonce = sealed[1:BEGINNING_BYTES], sealed[BEGINNING_BYTES:HEADER_BYTES]
        cipher = self._ciphers.get(key_id)
        if sealed[:1] != _VERSION or cipher is None:
            raise MissingKeyError(f"{column}: sealed with a key that is not in SECRET_KEYS")
        try:
            return cipher.decrypt(nonce, sealed[HEADER_BYTES:], _bound(account, column))
        except InvalidTag:
            raise DecryptionError(f"{column}: the ciphertext does not belong here") from None

    def open_text(self, sealed: bytes, *, account: str, column: str) -> str:
        """Decrypt a text."""
        return self.open(sealed, account=account, column=column).decode()


def _derive(secret: str) -> tuple[bytes, AESGCM]:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"sms-connector column key").derive(secret.encode())
    return hashlib.sha256(key).digest()[:_KEY_ID_BYTES], AESGCM(key)


def _bound(account: str, column: str) -> bytes:
    return f"{account}\x00{column}".encode()
