"""Keeps what the database must not be able to tell: sealed secrets, keyed digests, and random values.

One secret of the installation (DATA/keys/identity) is the root; each use has a key of its own (HKDF, RFC 5869).
"""

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from continuum.kernel.errors import DomainError

SECRET_MIN_BYTES = 32
_NONCE_BYTES = 12
_FORMAT = b"\x01"
_TOKEN_BYTES = 32


class SealBroken(DomainError):
    """A sealed secret was changed, moved to another row, or sealed under another installation's key."""

    status = 500
    code = "security"


class Vault:
    """Seals and digests under the secret of one installation (32 bytes or more)."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SECRET_MIN_BYTES:
            raise ValueError(f"The identity secret has at least {SECRET_MIN_BYTES} bytes.")
        self._aead = AESGCM(_derived(secret, b"seal"))
        self._mac_key = _derived(secret, b"digest")

    def seal(self, plain: bytes, row: str) -> bytes:
        """AES-256-GCM with a fresh nonce, bound to `row`: what the secret belongs to, such as `signing_key/abc`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _FORMAT + nonce + self._aead.encrypt(nonce, plain, row.encode())

    def unseal(self, sealed: bytes, row: str) -> bytes:
        """The secret.

        Raises:
            SealBroken: it is not what was sealed for this row under this key.
        """
        nonce, text = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._aead.decrypt(nonce if sealed[:1] == _FORMAT else b"", text, row.encode())
        except (InvalidTag, ValueError) as error:
            raise SealBroken(
                "A stored secret cannot be opened: the file keys/identity is not the one it was sealed with."
            ) from error

    def digest(self, purpose: str, *parts: str) -> bytes:
        """HMAC-SHA-256 over the parts, for values that could be guessed: short codes, names, addresses."""
        text = "\x1f".join((purpose, *parts))
        return hmac.digest(self._mac_key, text.encode("utf-8", "surrogatepass"), "sha256")


def _derived(secret: bytes, use: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"continuum identity " + use).derive(secret)


def random_token() -> str:
    """256 random bits as text for cookies, codes and tokens (43 characters of base64url)."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def token_digest(token: str) -> bytes:
    """SHA-256 of a random token: 256 random bits need no key."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
