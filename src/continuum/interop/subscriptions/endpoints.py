"""Where notifications may be sent: only where the operator's list says, so that nobody makes the server call inward.

A list names origins with an optional path (`https://hooks.example.org/fhir/`) and mail domains
(`mailto:@example.org`). Redirects are not followed, so what is listed is what is called.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from continuum.kernel.errors import Invalid, Issue

_MAILBOX = re.compile(r"[A-Za-z0-9!#$%'*+/=^_`{|}~.-]{1,64}\Z")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class _Origin:
    scheme: str
    host: str
    port: int
    path: str


class Allowed:
    """The operator's list, read once.

    Raises:
        ValueError: an entry is neither the beginning of an http(s) URL nor a mail domain; in plain words.
    """

    def __init__(self, text: str) -> None:
        self._origins: list[_Origin] = []
        self._domains: set[str] = set()
        for entry in (part.strip() for part in text.split(",")):
            if entry.startswith("mailto:@") and len(entry) > len("mailto:@"):
                self._domains.add(entry[len("mailto:@") :].lower())
            elif entry:
                origin = _origin(entry)
                if origin is None:
                    raise ValueError("must list URLs such as https://hooks.example.org/ or mailto:@example.org")
                self._origins.append(origin)

    def url(self, endpoint: str) -> bool:
        """Whether a rest-hook may call this address."""
        wanted = _origin(endpoint)
        return wanted is not None and any(
            (wanted.scheme, wanted.host, wanted.port) == (one.scheme, one.host, one.port)
            and (wanted.path + "/").startswith(one.path if one.path.endswith("/") else one.path + "/")
            for one in self._origins
        )

    def mail(self, endpoint: str) -> str | None:
        """The address of a mailto: endpoint when mail may go there, else None."""
        if not endpoint.startswith("mailto:"):
            return None
        address = unquote(endpoint[len("mailto:") :])
        name, at, domain = address.rpartition("@")
        if not at or not _MAILBOX.match(name):
            return None
        return address if domain.lower() in self._domains else None


def _origin(text: str) -> _Origin | None:
    """The parts of an http(s) URL that decide who is called; None for what is none, or hides something."""
    if any(sign <= " " or sign in "\\\x7f" for sign in text) or not text.isascii():
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None or parts.password is not None:
        return None
    path = parts.path or "/"
    if ".." in unquote(path).split("/") or parts.fragment:
        return None
    return _Origin(parts.scheme, parts.hostname.lower().rstrip("."), port or _PORTS[parts.scheme], path)


def not_allowed(endpoint: str) -> Invalid:
    """The refusal of an endpoint that the list does not name."""
    text = (
        f"This server sends nothing to {endpoint[:200]}: its operator lists the endpoints that it may call"
        " (CONTINUUM_SUBSCRIPTION_ENDPOINTS), and this one is not among them."
    )
    return Invalid(text, issues=(Issue("business-rule", text, ("Subscription.channel.endpoint",)),))
