"""The ways out: HTTP POST to a rest-hook, and mail."""

import asyncio
import ssl
from email.message import EmailMessage

import httpx

from continuum.interop.subscriptions.notification import EVENTS, HANDSHAKE, HEARTBEAT, Notification
from continuum.interop.subscriptions.request import Request
from continuum.runtime.mail import Mailer, MailRefused

_ANSWER_MAX_BYTES = 64 * 1024
"""What is read of a rest-hook's answer, so that its connection can be used again; nobody looks at it."""


class Undelivered(Exception):
    """A notification was not taken; the text says why, without anything of its content."""


class Channels:
    """Sends notifications. One per worker.

    smtp_url, mail_from: as `runtime.mail.Mailer` has them.
    """

    def __init__(self, *, smtp_url: str = "", mail_from: str = "") -> None:
        self._mailer = Mailer(smtp_url=smtp_url, mail_from=mail_from)
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
        try:
            await self._mailer.send(self.message(request, notification), timeout_s=request.timeout_s)
        except MailRefused as error:
            raise Undelivered(str(error)) from error

    def message(self, request: Request, notification: Notification) -> EmailMessage:
        """The mail of a notification. It names nobody; the Bundle is attached when its content was asked for."""
        lines = [
            _SUBJECTS[notification.kind].format(count=notification.count) + ".",
            "",
            f"Subscription: {notification.subscription_id}",
            f"Topic: {request.topic.title}",
        ]
        if notification.last:
            first = notification.last - notification.count + 1
            lines += [f"Event numbers: {first} to {notification.last}", "", "Sign in to the record to see more."]
        subject = _SUBJECTS[notification.kind].format(count=notification.count)
        message = self._mailer.message(request.endpoint, subject, "\n".join(lines) + "\n")
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
