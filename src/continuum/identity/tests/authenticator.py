"""A passkey in software: what a phone or a security key does (W3C WebAuthn Level 3, §6), with real keys."""

import hashlib
import json
import os
import struct

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import bytes_to_base64url as b64
from webauthn.helpers import parse_cbor

USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class Authenticator:
    """One passkey for one site. Tests turn its attributes to make it lie."""

    def __init__(self, host, origin):
        self.host, self.origin = host, origin
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = os.urandom(32)
        self.count = 0
        self.flags = USER_PRESENT | USER_VERIFIED
        assert parse_cbor(self._cose())[3] == -7

    def register(self, options):
        """The answer to a page's question for a new passkey, as the browser sends it."""
        self.handle = json.loads(options)["user"]["id"]
        attested = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + self._cose()
        data = self._data(ATTESTED) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer({"attestationObject": b64(attestation)}, self._client("webauthn.create", options))

    def sign_in(self, options):
        """The answer to a page's question who this is."""
        self.count += 1
        client = self._client("webauthn.get", options)
        data = self._data(0)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._answer({"authenticatorData": b64(data), "signature": b64(signature)}, client)

    def _client(self, kind, options):
        challenge = json.loads(options)["challenge"]
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _data(self, flags):
        return hashlib.sha256(self.host.encode()).digest() + bytes([self.flags | flags]) + struct.pack(">I", self.count)

    def _cose(self):
        point = self.key.public_key().public_numbers()
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})

    def _answer(self, response, client):
        return json.dumps(
            {
                "id": b64(self.credential_id),
                "rawId": b64(self.credential_id),
                "type": "public-key",
                "response": {**response, "clientDataJSON": b64(client)},
                "clientExtensionResults": {},
            }
        )
