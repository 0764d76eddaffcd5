"""One request to the pages: who is here, what the form says, and that the form is ours.

Cookies: `visit` ties forms to a browser before anybody has signed in, `session` is the session's only copy, `known`
is the mark of a browser that has signed in before, `notice` that the notice was accepted. All are HttpOnly.
"""

import contextlib
import hmac
import os
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import unquote, urlencode

import asyncpg
import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from continuum.access.actor import Actor
from continuum.access.audit import noted
from continuum.access.outage import closing
from continuum.apps.signon.marked import FILES_MARK, UNATTENDED_MARK, Files
from continuum.apps.signon.rendering import render
from continuum.apps.signon.services import BASE, SignonServices
from continuum.chart.entry import N_
from continuum.identity.accounts import Account
from continuum.identity.acts import Act, Origin
from continuum.identity.limits import (
    BROWSER_MARK_S,
    FORM_FIELDS_MAX,
    FORM_MAX_BYTES,
    NOTICE_ACCEPTED_S,
    SESSION_LIFETIME_S,
    SESSION_WARNING_S,
)
from continuum.identity.sessions import Session, SessionEnded
from continuum.identity.sign_on import EXPIRED, Arrived
from continuum.identity.standing import NOBODY
from continuum.identity.vault import random_token
from continuum.kernel.errors import DomainError, Forbidden, Malformed, ReadOnly, StorageFull, TooLarge
from continuum.kernel.ids import uuid7

UNWRITTEN = (DomainError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What the trace of a refusal may fail with where nothing can be written."""
SECURE: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;"
        " connect-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), publickey-credentials-get=(self)",
    # Not "no-referrer": under it browsers say `Origin: null` of our own forms, and those would look foreign.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
"""On every page."""
log = structlog.get_logger("continuum.signon")
_NEXT = re.compile(rf"(?:{BASE}|/workspace|/portal)(?:/[A-Za-z0-9/?=&%._~-]{{0,600}})?\Z")
"""Addresses of ours to go on to after signing in."""
HOME = f"{BASE}/account"
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
CLOSED = N_("Nothing can be saved at present. What is recorded can be read as usual. Please try again later.")
"""On every page while the record takes no writes, whatever the reason."""


class FormRefused(Forbidden):
    """The form did not come from one of our pages, or that page is too old."""


class SignInFirst(DomainError):
    """The page is for those who are signed in."""

    status = 401
    code = "login"


@dataclass(slots=True)
class Exchange:
    """A request and what its answer will set. `session` and `account` are there once `require` was called."""

    request: Request
    services: SignonServices
    visit: str
    origin: Origin
    form: dict[str, str] = field(default_factory=dict)
    files: list[tuple[str, bytes]] = field(default_factory=list)
    """Name and content of each file of a form, on pages that take files (`takes_files`)."""
    session: Session | None = None
    account: Account | None = None
    cookies: list[tuple[str, str, int | None]] = field(default_factory=list)
    """Name, value and age in seconds (None: until the browser is closed; an empty value deletes)."""
    unattended: bool = False
    """Whether the page asks by itself (`unattended`): that keeps nobody signed in."""

    @property
    def query(self) -> Mapping[str, str]:
        """The parameters of the address."""
        return self.request.query_params

    @property
    def csrf(self) -> str:
        """The value that every form of this browser carries; other digits at each reading.

        A constant secret in a compressed page could be guessed by the page's length (BREACH).
        """
        secret = self._csrf
        mask = os.urandom(len(secret))
        return mask.hex() + bytes(a ^ b for a, b in zip(mask, secret, strict=True)).hex()

    @property
    def _csrf(self) -> bytes:
        # After signing in or stepping up, forms of the very answer that does it belong to the new session.
        given = [value for name, value, _ in self.cookies if name == "session"]
        bound = self.visit + (given[-1] if given else self.cookie("session"))
        return self.services.sign_on.vault.digest("csrf", bound)

    def _is_ours(self, text: str) -> bool:
        secret = self._csrf
        try:
            given = bytes.fromhex(text)
        except ValueError:
            return False
        mask, masked = given[: len(secret)], given[len(secret) :]
        if len(masked) != len(secret):
            return False
        return hmac.compare_digest(bytes(a ^ b for a, b in zip(mask, masked, strict=True)), secret)

    def cookie(self, name: str) -> str:
        """The value of one of our cookies, or ""."""
        value = self.request.cookies.get(self._name(name), "")
        return "" if "\0" in value else value  # none of ours has it

    def _name(self, name: str) -> str:
        # `__Host-`: from this host only, over https only, for all its paths (RFC 6265bis §4.1.3.2).
        return f"__Host-continuum-{name}" if self.services.settings.secure else f"continuum-{name}"

    @property
    def idle_left_s(self) -> int:
        """Seconds until the session ends if nothing is done; 0 when nobody is signed in."""
        return self.session.idle_left_s(self.services.sign_on.clock()) if self.session else 0

    @property
    def at_limit(self) -> bool:
        """Whether the session ends then whatever is done."""
        return self.session is not None and self.session.at_limit

    @property
    def warning_s(self) -> int:
        """How long before its end a session is warned of."""
        return SESSION_WARNING_S

    @property
    def home(self) -> str:
        """The first page of the app for those who are signed in."""
        return HOME

    def next(self, otherwise: str = HOME) -> str:
        """Where to go on to: an address of ours, whatever the request says."""
        wanted = self.form.get("next") or self.query.get("next") or ""
        path = unquote(wanted.partition("?")[0])
        safe = _NEXT.match(wanted) and "//" not in path and ".." not in path
        return wanted if safe else otherwise

    async def load(self, *, activity: bool = True) -> None:
        """Finds out who is here, if anybody is. Raises SessionEnded."""
        token = self.cookie("session")
        if token:
            activity = activity and not self.unattended
            self.session, self.account = await self.services.sign_on.resume(token, activity=activity)

    async def require(self, *, restricted: bool = False, activity: bool = True) -> tuple[Session, Account]:
        """Who is here.

        restricted: whether the page is also for sessions that may only change a password or set up a factor.

        Raises:
            SignInFirst: nobody is, or only somebody who has to do something else first.
        """
        try:
            await self.load(activity=activity)
        except SessionEnded as ended:
            self.cookies.append(("session", "", 0))
            raise SignInFirst(str(ended)) from ended
        if self.session is None or self.account is None:
            raise SignInFirst("Please sign in first.")
        if not restricted and (self.session.recovering or EXPIRED in self.session.methods):
            raise SignInFirst("Please finish what is asked of you first.")
        return self.session, self.account

    @property
    def accepted(self) -> bool:
        """Whether this browser has accepted the notice as it reads now, not too long ago."""
        until, _, seal = self.cookie("notice").partition(".")
        if not until.isdigit() or not until.isascii() or len(until) > 12 or not seal.isascii():
            return False
        fresh = int(until) > self.services.sign_on.clock() // 1_000_000
        return fresh and hmac.compare_digest(seal, self._notice_seal(until))

    async def accept(self) -> None:
        """Remembers, and writes down, that the notice was accepted."""
        until = str(self.services.sign_on.clock() // 1_000_000 + NOTICE_ACCEPTED_S)
        self.cookies.append(("notice", f"{until}.{self._notice_seal(until)}", NOTICE_ACCEPTED_S))
        on = self.services.sign_on
        async with on.connect() as conn, conn.transaction():
            detail = f"notice {self.services.notice_digest[:16]}"
            await on.trace(conn, Act("accept-notice", "unknown", self.origin, detail=detail))

    def _notice_seal(self, until: str) -> str:
        digest = self.services.notice_digest
        return self.services.sign_on.vault.digest("notice", self.visit, digest, until).hex()

    def arrived(self, arrived: Arrived) -> None:
        """Hands the session to the browser, under a new visit: forms of before are void."""
        self.keep_session(arrived.token)
        self.cookies.append(("known", arrived.mark, BROWSER_MARK_S))

    def keep_session(self, token: str | None) -> None:
        """Sets the session's cookie; None takes it away."""
        self.cookies.append(("session", token or "", SESSION_LIFETIME_S if token else 0))

    def to_notice(self, back: str) -> Response:
        """To the notice, and then back to a page of ours."""
        return self.go(f"{BASE}/notice", next=back)

    def page(self, template: str, *, status: int = 200, **values: object) -> Response:
        """One of our pages."""
        person = self.account.display_name if self.session and self.account else ""
        text = render(self.request, template, home=HOME, person=person, csrf=self.csrf, base=BASE, x=self, **values)
        return HTMLResponse(text, status, headers=dict(SECURE))

    def go(self, address: str, **query: str) -> Response:
        """On to another page, by GET."""
        target = f"{address}?{urlencode(query)}" if query else address
        return RedirectResponse(target, 303, headers=dict(SECURE))

    async def refused(self, error: Exception, outcomes: Sequence[int] = ()) -> None:
        """Leaves the trace of a refusal or a fault, unless one of the rows of this request says so already."""
        access = self.services.access
        if any(outcomes) or access is None:
            return
        # Where nothing can be written, a page that shows nothing of a record still says what is wrong.
        with contextlib.suppress(*UNWRITTEN):
            if self.session is None:
                await self.load(activity=False)
            target, source, request_id = self.request.url.path, self.origin.source, self.origin.request_id
            if self.account is not None:
                await access.turned_away(
                    self.actor, "HSYSADMIN", error, source=source, request_id=request_id, interaction="page",
                    target=target,
                )  # fmt: skip
            elif isinstance(error, DomainError):
                await access.stranger(error, source=source, request_id=request_id, target=target)

    @property
    def actor(self) -> Actor:
        """Who is here, as the trail knows them."""
        assert self.account is not None, "who is here was asked before"
        assert self.session is not None, "who is here was asked before"
        level = self.session.assurance
        return Actor(
            self.account.account_id, NOBODY, self.account.display_name, identity_level=level.identity,
            authenticator_level=level.authenticator,
        )  # fmt: skip

    def check_form(self) -> None:
        """Holds a posted form to be ours. Raises FormRefused."""
        sent_from = self.request.headers.get("origin")
        site = self.request.headers.get("sec-fetch-site", "same-origin")
        foreign = sent_from not in (None, self.services.settings.origin, self._own_origin)
        if foreign or site not in ("same-origin", "none") or not self._is_ours(self.form.get("csrf", "")):
            raise FormRefused("This form is too old, or did not come from this site. Please open the page again.")

    @property
    def _own_origin(self) -> str:
        return f"{self.request.url.scheme}://{self.request.headers.get('host', '')}"

    def finish(self, response: Response) -> Response:
        """Puts in the cookies, what each answer of a page tells browsers, a file's too, and its id in the trail."""
        for name, value in SECURE.items():
            response.headers.setdefault(name, value)
        response.headers["X-Request-Id"] = self.origin.request_id
        secure = self.services.settings.secure
        for name, value, age_s in self.cookies:
            response.set_cookie(
                self._name(name), value, max_age=age_s, path="/", secure=secure, httponly=True, samesite="lax"
            )
        return response


X = TypeVar("X", bound=Exchange)
H = TypeVar("H")
Handler = Callable[[Exchange], Awaitable[Response]]
Make = Callable[[Request, SignonServices, str, Origin], X]


def endpoint(
    handler: Callable[[X], Awaitable[Response]],
    services: SignonServices,
    make: Make[X],
) -> Callable[[Request], Awaitable[Response]]:
    """A page as Starlette wants it: the form is checked before the handler runs, refusals become pages.

    make: what the handlers of another app take, which is an Exchange too.
    """
    allowed: Files | None = getattr(handler, FILES_MARK, None)
    by_itself = bool(getattr(handler, UNATTENDED_MARK, False))

    async def answer(request: Request) -> Response:
        client = request.client.host if request.client else ""
        origin = Origin(client, request.headers.get("user-agent", ""), request_id=uuid7())
        x = make(request, services, "", origin)
        x.unattended = by_itself
        x.visit = x.cookie("visit")
        x.origin = Origin(client, origin.browser, x.cookie("known"), origin.request_id)
        if len(x.visit) != len(random_token()):
            x.visit = random_token()
            x.cookies.append(("visit", x.visit, None))
        with noted() as outcomes:
            try:
                require_text((*request.query_params.multi_items(), *request.path_params.items()))
                if request.method == "POST":
                    await _read_form(x, allowed)
                    require_text(x.form.items())
                    x.check_form()
                response = await handler(x)
                if response.status_code >= HTTPStatus.BAD_REQUEST:
                    await x.refused(DomainError(f"The page said what is wrong ({response.status_code})."), outcomes)
            except SignInFirst as error:
                here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                wanted = here if request.method == "GET" and _NEXT.match(here) else x.home
                response = x.go(f"{BASE}/sign-in", next=wanted, why=_why(error))
            except DomainError as error:
                await x.refused(error, outcomes)
                words = CLOSED if isinstance(error, ReadOnly | StorageFull) else str(error)
                response = x.page("refused.html", status=error.status, words=words)
            except Exception as error:  # noqa: BLE001  the person gets an id, the log the kind; messages may quote data
                response = await _failed(x, error, outcomes)
        return x.finish(response)

    return answer


async def _failed(x: Exchange, error: Exception, outcomes: Sequence[int]) -> Response:
    if refusal := closing(error):
        return x.page("refused.html", status=refusal.status, words=CLOSED)
    where = place(error)
    log.error("a page failed", request_id=x.origin.request_id, cause=type(error).__name__, at=where)
    await x.refused(error, outcomes)
    words = f"Something went wrong here. Please try again; if it stays so, quote {x.origin.request_id}."
    return x.page("refused.html", status=500, words=words)


def require_text(pairs: Iterable[tuple[str, str]]) -> None:
    """Refuses what no text in the database may hold: U+0000, and halves of characters. Raises Malformed."""
    if any(_NO_TEXT.search(text) for pair in pairs for text in pair):
        raise Malformed("What was sent holds a character that is none, such as U+0000.")


def place(error: BaseException) -> str:
    """The file and line where an unexpected error was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


def _why(error: SignInFirst) -> str:
    ended = error.__cause__
    return ended.reason if isinstance(ended, SessionEnded) else "none"


async def _read_form(x: Exchange, allowed: Files | None) -> None:
    """Reads the fields of a posted form, and its files where a page takes them. Raises TooLarge."""
    most_bytes = FORM_MAX_BYTES + (allowed.total_bytes if allowed is not None else 0)
    declared = x.request.headers.get("content-length", "")
    if not declared.isdigit() or int(declared) > most_bytes:
        raise TooLarge("The form is too large." if allowed is None else "The files are too large together.")
    # An empty file field is a file without a name, so that one more is let through than is kept.
    files = 0 if allowed is None else allowed.most + 1
    async with x.request.form(max_files=files, max_fields=FORM_FIELDS_MAX, max_part_size=FORM_MAX_BYTES) as posted:
        for name, value in posted.multi_items():
            if isinstance(value, str):
                x.form[name] = value
            elif value.filename:
                x.files.append((value.filename, await value.read()))
