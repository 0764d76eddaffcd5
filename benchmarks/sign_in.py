"""Somebody who has signed in: their access token of OpenID Connect, for rows that are measured as programs of people ask."""

import asyncio
import base64
import hashlib
import re
import secrets
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from benchmarks.corpus import Corpus, facility

CLIENT, BACK = "bench", "http://127.0.0.1/back"


def prepared(continuum: list[str], data: Path, corpus: Corpus) -> tuple[str, str]:
    """A client, and a physician of the facility, while the server is away: name and seed of the authenticator app."""
    words = [*continuum, "client", "sign-in", CLIENT, "--name", "Bench", "--redirect", BACK, "--public"]
    from benchmarks.desk import physician  # noqa: PLC0415  who imports it makes no accounts otherwise

    subprocess.run([*words, "--scope", "openid staff"], check=True, stdout=subprocess.DEVNULL)
    return asyncio.run(physician(data, facility(corpus)))


async def access_token(port: int, who: tuple[str, str]) -> str:
    """What a program gets for somebody who has signed in on the pages, with a second factor, and came back to it."""
    from benchmarks.desk import signed_in  # noqa: PLC0415  as above

    origin, verifier = f"http://localhost:{port}", secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code", "client_id": CLIENT, "redirect_uri": BACK, "scope": "openid staff", "state": "s",
        "nonce": "n", "code_challenge": challenge, "code_challenge_method": "S256",
    }  # fmt: skip
    browser = await signed_in(origin, who, "/workspace")
    try:
        back = await browser.get(f"/signon/authorize?{urlencode(asked)}", follow_redirects=False)
        assert re.match(BACK, back.headers.get("location", "")), (back.status_code, back.text[:300])
        code = parse_qs(urlsplit(back.headers["location"]).query)["code"][0]
        answer = await browser.post("/signon/token", data={
            "grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "client_id": CLIENT,
            "code_verifier": verifier,
        })  # fmt: skip
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])
    finally:
        await browser.aclose()
