"""The ways out: HTTP POST to a rest-hook, and mail."""

import asyncio
import ssl
from email.message import EmailMessage
from email.utils import make_msgid
from urllib.parse import unquote, urlsplit

import aiosmtplib
import httpx

from continuum.interop.subscriptions.notification import EVENTS, HANDSHAKE, HEARTBEAT, Notification
from continuum.interop.subscriptions.request import Request

_ANSWER_MAX_BYTES = 64 * 1024
"""What is read of a rest-hook's answer, so that its connection can be used again; nobody looks at it."""


class Undelivered(Exception):
    """A notification was not taken; the text says why, without anything of its content."""


class Channels:
    """Sends notifications. One per worker.

    smtp_url: `smtp://name:password@host:587` (STARTTLS is asked for, and required when there is a password) or
    `smtps://…`; "" when this server sends no mail. mail_from: the sender of mails.
    """

    def __init__(self, *, smtp_url: str = "", mail_from: str = "") -> None:
        self._smtp_url = smtp_url
        self._mail_from = mail_from
        self._client: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """Closes kept connections."""
        if self._client is not None:
            await self._client.aclose()

    async def send(self, request: Request, notification: Notification) -> None:
        """Returns when the subscriber has taken it.

        Raises:
            Undelivered: it has not, within the time that the subscription gives it.
        """
        try:
            async with asyncio.timeout(request.timeout_s):
                if request.channel == "rest-hook":
                    await self._post(request, notification)
                else:
                    await self._mail(request, notification)
        except TimeoutError as error:
            raise Undelivered(f"The subscriber did not answer within {request.timeout_s} s.") from error

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            # No limit on connections here: each subscription uses one at a time, and a slow one must hold up no other.
            self._client = httpx.AsyncClient(
                follow_redirects=False,
                trust_env=False,
                timeout=None,  # noqa: S113  every send has a total time of its own
                verify=ssl.create_default_context(),
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=200),
                headers={"user-agent": "continuum"},
            )
        return self._client

    async def _post(self, request: Request, notification: Notification) -> None:
        headers = [*request.headers, ("content-type", request.payload)]
        try:
            async with self._http().stream(
                "POST", request.endpoint, content=notification.body, headers=headers
            ) as answer:
                if not answer.is_success:
                    raise Undelivered(f"The endpoint answered {answer.status_code}.")
                read = 0
                async for chunk in answer.aiter_raw():
                    read += len(chunk)
                    if read > _ANSWER_MAX_BYTES:
                        break
        except (httpx.HTTPError, OSError) as error:
            raise Undelivered(f"The endpoint could not be reached ({type(error).__name__}).") from error

    async def _mail(self, request: Request, notification: Notification) -> None:
        parts = urlsplit(self._smtp_url)
        tls = parts.scheme == "smtps"
        try:
            await aiosmtplib.send(
                self.message(request, notification),
                hostname=parts.hostname,
                port=parts.port,
                username=unquote(parts.username) if parts.username else None,
                password=unquote(parts.password) if parts.password else None,
                use_tls=tls,
                start_tls=True if parts.username and not tls else None,
                timeout=request.timeout_s,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise Undelivered(f"The mail was not taken ({type(error).__name__}).") from error

    def message(self, request: Request, notification: Notification) -> EmailMessage:
        """The mail of a notification. It names nobody; the Bundle is attached when its content was asked for."""
        message = EmailMessage()
        message["From"] = self._mail_from
        message["To"] = request.endpoint
        message["Subject"] = _SUBJECTS[notification.kind].format(count=notification.count)
        message["Message-ID"] = make_msgid(domain=self._mail_from.rpartition("@")[2] or None)
        message["Auto-Submitted"] = "auto-generated"
        lines = [
            _SUBJECTS[notification.kind].format(count=notification.count) + ".",
            "",
            f"Subscription: {notification.subscription_id}",
            f"Topic: {request.topic.title}",
        ]
        if notification.last:
            first = notification.last - notification.count + 1
            lines += [f"Event numbers: {first} to {notification.last}", "", "Sign in to the record to see more."]
        message.set_content("\n".join(lines) + "\n")
        if notification.kind == EVENTS and request.content != "empty":
            message.add_attachment(
                notification.body, maintype="application", subtype="fhir+json", filename="notification.json"
            )
        return message


_SUBJECTS = {
    HANDSHAKE: "Your subscription begins",
    HEARTBEAT: "Your subscription goes on",
    EVENTS: "New events in your subscription: {count}",
}
