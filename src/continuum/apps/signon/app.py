"""The ASGI application under /signon."""

from importlib.resources import files

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from continuum.apps.signon import (
    account,
    administration,
    disclosing,
    elsewhere,
    helping,
    oidc,
    overseeing,
    premium,
    registering,
    signing_in,
)
from continuum.apps.signon.exchange import HOME, SECURE, Exchange, Handler, endpoint
from continuum.apps.signon.nowhere import not_there
from continuum.apps.signon.services import BASE, SignonServices

GET, POST, BOTH = ("GET",), ("POST",), ("GET", "POST")
PAGES: tuple[tuple[str, Handler, tuple[str, ...]], ...] = (
    ("/notice", signing_in.notice, BOTH),
    ("/sign-in", signing_in.sign_in, BOTH),
    ("/second-step", signing_in.second_step, POST),
    ("/passkey", signing_in.passkey, POST),
    ("/elsewhere/{key}", elsewhere.begin, POST),
    ("/elsewhere/{key}/back", elsewhere.back, GET),
    ("/go-on", signing_in.go_on, GET),
    ("/stay", signing_in.stay, POST),
    ("/left", signing_in.left, GET),
    ("/sign-out", signing_in.sign_out, POST),
    ("/signed-out", signing_in.signed_out, GET),
    ("/register", registering.register, BOTH),
    ("/register/choose", registering.create, POST),
    ("/enrol", registering.enrol, BOTH),
    ("/account", account.home, GET),
    ("/account/role", account.role, POST),
    ("/account/password", account.password, POST),
    ("/account/app", account.new_app, POST),
    ("/account/app/confirm", account.confirm_app, POST),
    ("/account/passkey", account.new_passkey, POST),
    ("/account/remove", account.remove, POST),
    ("/account/disconnect", elsewhere.disconnect, POST),
    ("/account/recovery-codes", account.recovery_codes, POST),
    ("/account/end-session", account.end_session, POST),
    ("/premium", premium.premium, GET),
    ("/premium/letter", premium.letter, POST),
    ("/premium/activate", premium.activate, POST),
    ("/clerk/proof", premium.proof, BOTH),
    ("/clerk/letters", premium.letters, BOTH),
    ("/emergencies", overseeing.emergencies, GET),
    ("/emergencies/news", overseeing.news, GET),
    ("/who-looked", overseeing.who_looked, GET),
    ("/disclosures", disclosing.disclosures, BOTH),
    ("/disclosures/file", disclosing.file, POST),
    ("/help", helping.desk, BOTH),
    ("/help/account", helping.account, GET),
    ("/help/sign-out", helping.sign_out, POST),
    ("/help/post-code", helping.post_code, POST),
    ("/staff", administration.people, GET),
    ("/staff/open", administration.open_account, POST),
    ("/staff/grant", administration.grant, POST),
    ("/staff/withdraw", administration.withdraw, POST),
    ("/staff/practitioner", administration.practitioner, POST),
    ("/staff/leave", administration.leave, POST),
    ("/staff/set-up-anew", administration.set_up_anew, POST),
    ("/staff/unlock", administration.unlock, POST),
    ("/authorize", oidc.authorize, GET),
    ("/authorize/go-on", oidc.go_on, GET),
    ("/end-session", oidc.end_session, GET),
)
"""Address below BASE, handler, methods."""
_FILES = {
    "style.css": "text/css",
    "passkey.js": "text/javascript",
    "idle.js": "text/javascript",
    "watch.js": "text/javascript",
}


async def _home(x: Exchange) -> Response:
    return x.go(HOME)


def application(services: SignonServices) -> Starlette:
    """All pages and endpoints."""
    programs = (
        ("/.well-known/openid-configuration", oidc.discovery, GET),
        ("/jwks", oidc.jwks, GET),
        ("/token", oidc.token, POST),
        ("/revoke", oidc.revoke, POST),
        ("/userinfo", oidc.userinfo, BOTH),
        ("/authorize", oidc.by_get, POST),
        ("/end-session", oidc.by_get, POST),
    )

    async def file(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _FILES:
            raise HTTPException(404)
        text = (files("continuum.apps.signon") / "files" / name).read_text(encoding="utf-8")
        return Response(text, media_type=_FILES[name], headers={**SECURE, "Cache-Control": "max-age=3600"})

    return Starlette(
        routes=[
            Route(BASE, endpoint(_home, services, Exchange)),
            Route(f"{BASE}/", endpoint(_home, services, Exchange)),
            *(Route(BASE + path, endpoint(work, services, Exchange), methods=list(methods))
              for path, work, methods in PAGES),
            *(Route(BASE + path, oidc.program(work, services), methods=list(methods))
              for path, work, methods in programs),
            Route(f"{BASE}/files/{{name}}", file),
        ],
        exception_handlers=not_there(services, Exchange),
    )  # fmt: skip
