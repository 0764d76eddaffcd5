"""One request to the pages of an app behind the sign-on: an `Exchange` that also opens the record."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from continuum.access import Access
from continuum.access import Session as RecordSession
from continuum.access.actor import USUAL_PURPOSE, Actor
from continuum.access.emergency import Emergency
from continuum.apps.design.answer import html
from continuum.apps.design.reader import view_of
from continuum.apps.design.static import PREFERENCES_PATH
from continuum.apps.frame.part import templates
from continuum.apps.frame.zones import Zones
from continuum.apps.signon.exchange import CLOSED, Exchange, endpoint
from continuum.apps.signon.nowhere import not_there
from continuum.apps.signon.services import BASE as SIGNON
from continuum.apps.signon.services import SignonServices
from continuum.identity import standing
from continuum.identity.acts import Origin
from continuum.identity.standing import Standing
from continuum.kernel.limits import REQUEST_TIMEOUT_S
from continuum.ui import Pages, View
from continuum.ui.language import gettext
from continuum.ui.view import showing

Navigation = Sequence[tuple[str, str, bool]]
"""Text, address, whether it is here."""
__all__ = ["REQUEST_TIMEOUT_S", "Area", "Handler", "Visit", "application"]


@dataclass(frozen=True, slots=True)
class Area:
    """One app with pages. base: its addresses begin with it. package: has its templates. footer: a message of ours."""

    key: str
    base: str
    package: str
    brand: str
    footer: str
    navigation: "Callable[[Visit], Navigation]"


@dataclass(slots=True)
class Visit(Exchange):
    """A request to one of the pages."""

    area: Area = field(kw_only=True)
    access: Access = field(kw_only=True)
    zones: Zones = field(kw_only=True)
    standing: Standing = field(default_factory=Standing)
    purpose: str = ""
    """Why somebody is here, where it is not what is usual for their role."""
    emergency: Emergency | None = None
    """The glass that somebody has broken for the patient of this page."""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    """Of the facility where somebody works or is cared for: "today" is its day."""

    @property
    def home(self) -> str:
        """The first page of the app."""
        return self.area.base

    @property
    def reader(self) -> View:
        """For whom the page is drawn."""
        found = replace(view_of(self.request), zone=self.zone)
        found = replace(found, today=datetime.now(found.zone).date())
        return found if self.request.method == "GET" else replace(found, path=self.home)

    @property
    def now(self) -> datetime:
        """The present, for rules."""
        return datetime.fromtimestamp(self.access.clock() / 1_000_000, UTC)

    @property
    def partial(self) -> bool:
        """Whether only a part of the page was asked for."""
        return self.request.headers.get("hx-request") == "true"

    def param(self, name: str) -> str:
        """A part of the address."""
        return str(self.request.path_params.get(name, ""))

    async def stand(self, scope: str, *, activity: bool = True) -> Standing:
        """As whom somebody is here: `staff` or `patient`. Raises SignInFirst."""
        session, account = await self.require(activity=activity)
        on = self.services.sign_on
        async with on.connect() as conn:
            self.standing = await standing.of(conn, account, session, scope, on.today())
        if self.standing.facility_id:
            self.zone = await self.zones.of(self.record(), self.standing.facility_id)
        return self.standing

    def record(self, *, patient_id: str | None = None, workflow: bool = False) -> RecordSession:
        """The record, as whom somebody is here. workflow: as `Access.open` has it. Raises Forbidden."""
        actor = replace(self.actor, patient_id=patient_id) if patient_id else self.actor
        return self.access.open(
            actor, self.purpose or USUAL_PURPOSE.get(actor.role, ""), source=self.origin.source,
            request_id=self.origin.request_id, workflow=workflow,
        )  # fmt: skip

    @property
    def actor(self) -> Actor:
        """Who acts, as the record knows them: with the levels of the session."""
        assert self.account is not None, "who is here was asked before"
        assert self.session is not None, "who is here was asked before"
        here, level = self.standing, self.session.assurance
        return Actor(
            self.account.account_id, here.role, self.account.display_name, here.facility_id, here.patient_id,
            practitioner_id=here.practitioner_id, identity_level=level.identity,
            authenticator_level=level.authenticator,
        )  # fmt: skip

    def page(self, template: str, *, status: int = 200, **values: object) -> Response:
        """One of the app's pages, or a part of one."""
        if template == "refused.html":
            template = "frame/refused.html"
            values = {"words": gettext_of(self.reader, str(values["words"])), "status": status}
        reader = self.reader
        person = self.account.display_name if self.session and self.account else ""
        with showing(reader):
            site: dict[str, Any] = {
                "brand": self.area.brand,
                "home": self.home,
                "navigation": self.area.navigation(self) if person else [],
                "person": person,
                "preferences": PREFERENCES_PATH,
                "footer": gettext(self.area.footer),
                "notice": gettext(CLOSED) if self.access.refusal is not None else "",
            }
            csrf = self.csrf
            if person:
                site["sign_out"] = (f"{SIGNON}/sign-out", csrf)
            text = _pages(self.area.package, self.area.key).render(
                template, reader, site=site, csrf=csrf, base=self.area.base, signon=SIGNON, x=self, **values
            )
        return html(self.request, text, status)


def gettext_of(reader: View, text: str) -> str:
    """A sentence in the language of a reader; sentences that nobody translated stay as they are."""
    with showing(reader):
        return gettext(text)


@lru_cache(maxsize=8)
def _pages(package: str, app: str) -> Pages:
    return Pages(package, *templates(app), "continuum.apps.frame")


Handler = Callable[[Visit], Awaitable[Response]]


def application(
    area: Area,
    pages: Sequence[tuple[str, Handler, tuple[str, ...]]],
    services: SignonServices,
    access: Access,
    *,
    more: Sequence[Route] = (),
) -> Starlette:
    """An app of pages: address below its base, handler, methods. more: routes of its own, asked first."""
    zones = Zones()

    def make(request: Request, services: SignonServices, visit: str, origin: Origin) -> Visit:
        return Visit(request, services, visit, origin, area=area, access=access, zones=zones)

    return Starlette(
        routes=[
            *more,
            *(Route(area.base + path, endpoint(work, services, make), methods=list(methods))
              for path, work, methods in pages),
        ],
        exception_handlers=not_there(services, make),
    )  # fmt: skip
