"""A program with keys of its own that is registered with a server, as `continuum client add` does it."""

import json
import time
import uuid

import asyncpg
import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from continuum.identity import clients
from continuum.identity.clients import ASSERTION_TYPE, Client
from continuum.runtime.postgres.address import Address

KINDS = {"RS384": lambda: RSAKey.generate_key(2048), "ES384": lambda: ECKey.generate_key("P-384")}


class Program:
    """A registered program; its private key never leaves it."""

    def __init__(self, running, *, scopes="system/*.rs", algorithm="ES384") -> None:
        self.running = running
        self.id = f"program-{uuid.uuid4().hex[:12]}"
        self.scopes = scopes
        self.algorithm = algorithm
        self.key = KINDS[algorithm]()

    async def register(self) -> "Program":
        keys = clients.public_keys(json.dumps({"keys": [self.key.as_dict(private=False)]}))
        assert '"d"' not in keys
        conn = await asyncpg.connect(**Address.from_url(self.running.orders.database).connect)
        try:
            await clients.register(conn, Client(self.id, self.id, keys, self.scopes, 0))
        finally:
            await conn.close()
        return self

    def assertion(self, *, key=None, algorithm=None, header=None, **claims) -> str:
        said = {
            "iss": self.id, "sub": self.id, "aud": f"{self.running.origin}/auth/token",
            "exp": int(time.time()) + 240, "jti": uuid.uuid4().hex, **claims,
        }  # fmt: skip
        said = {name: value for name, value in said.items() if value is not None}
        algorithm = algorithm or self.algorithm
        return jwt.encode({"alg": algorithm, **(header or {})}, said, key or self.key, algorithms=[algorithm])

    async def ask(self, assertion=None, **form) -> httpx.Response:
        form = {
            "grant_type": "client_credentials", "scope": self.scopes, "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion or self.assertion(), **form,
        }  # fmt: skip
        async with httpx.AsyncClient() as http:
            return await http.post(f"{self.running.origin}/auth/token", data=form)

    async def client(self, **form) -> httpx.AsyncClient:
        answer = await self.ask(**form)
        assert answer.status_code == 200, answer.text
        headers = {"authorization": f"Bearer {answer.json()['access_token']}"}
        return httpx.AsyncClient(base_url=f"{self.running.origin}/fhir", headers=headers, timeout=30)
