"""The other providers that an operator has listed, read from a file of JSON."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from continuum.identity.limits import PROVIDERS_MAX, PROVIDERS_MAX_BYTES
from continuum.kernel.errors import DomainError

_KEY = re.compile(r"[a-z][a-z0-9-]{0,30}\Z")
_LOCAL = {"localhost", "127.0.0.1", "::1"}


class BadProviders(DomainError):
    """The operator's list of providers cannot be used; the text says why."""

    code = "value"


@dataclass(frozen=True, slots=True)
class OtherProvider:
    """One provider as an operator describes it.

    key: its name in addresses. issuer: exactly as its discovery document says it (OpenID Connect Discovery §4.3).
    person_claim: the claim that holds a person's DoD ID number, for a provider that is trusted to know and to have
    proofed people; "" when accounts are linked by their holders, and the provider's levels can only lower ours.
    """

    key: str
    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = "openid"
    ial_claim: str = "ial"
    aal_claim: str = "aal"
    person_claim: str = ""


def read_providers(path: Path | None) -> tuple[OtherProvider, ...]:
    """The providers of the operator's file; none without one.

    Raises:
        BadProviders: the file cannot be read or says something that does not do.
    """
    if path is None:
        return ()
    try:
        content = path.read_bytes()
        listed = json.loads(content)
    except (OSError, ValueError) as error:
        raise BadProviders(f"The list of providers cannot be read from {path}: {error}.") from error
    if len(content) > PROVIDERS_MAX_BYTES or not isinstance(listed, list) or len(listed) > PROVIDERS_MAX:
        raise BadProviders(f"{path} must hold a JSON list of at most {PROVIDERS_MAX} providers.")
    found = tuple(_provider(one, f"Provider {number} of {path}") for number, one in enumerate(listed, 1))
    for known in ("key", "issuer"):
        if len({getattr(one, known) for one in found}) < len(found):
            raise BadProviders(f"Two providers of {path} have the same {known}.")
    return found


def _provider(said: Any, which: str) -> OtherProvider:
    if not isinstance(said, Mapping) or not all(isinstance(value, str) for value in said.values()):
        raise BadProviders(f"{which} must be an object whose values are texts.")
    known = set(OtherProvider.__dataclass_fields__)
    if extra := sorted(set(said) - known):
        raise BadProviders(f"{which} says {extra[0]!r}, which means nothing; known are {', '.join(sorted(known))}.")
    needed = ("key", "name", "issuer", "client_id", "client_secret")
    if missing := [name for name in needed if not said.get(name)]:
        raise BadProviders(f"{which} lacks {missing[0]!r}.")
    if not _KEY.match(said["key"]):
        raise BadProviders(f"The key of {which} has 1 to 31 small letters, digits and hyphens.")
    parts = urlsplit(said["issuer"])
    if (
        parts.query
        or parts.fragment
        or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL))
    ):
        raise BadProviders(f"The issuer of {which} must be an https address without query.")
    if "openid" not in said.get("scope", "openid").split():
        raise BadProviders(f"The scope of {which} must hold openid.")
    return OtherProvider(**said)
