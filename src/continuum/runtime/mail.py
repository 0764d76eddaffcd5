"""Mail over SMTP, for whatever part of the system has something to say."""

from email.message import EmailMessage
from email.utils import make_msgid
from urllib.parse import unquote, urlsplit


class MailRefused(Exception):
    """A mail was not taken; the text says why, without anything of its content."""


class Mailer:
    """Sends mails to one server.

    smtp_url: `smtp://name:password@host:587` (STARTTLS is asked for, and required when there is a password) or
    `smtps://…`; "" when this installation sends no mail. mail_from: the sender of mails.
    """

    def __init__(self, *, smtp_url: str = "", mail_from: str = "") -> None:
        self._smtp_url = smtp_url
        self.mail_from = mail_from

    @property
    def sends(self) -> bool:
        """Whether there is a server to send to."""
        return bool(self._smtp_url)

    def message(self, to: str, subject: str, text: str) -> EmailMessage:
        """A mail that nobody need answer."""
        message = EmailMessage()
        message["From"] = self.mail_from
        message["To"] = to
        message["Subject"] = subject
        message["Message-ID"] = make_msgid(domain=self.mail_from.rpartition("@")[2] or None)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        return message

    async def send(self, message: EmailMessage, *, timeout_s: float) -> None:
        """Returns when the server has taken it. Raises MailRefused."""
        # Most installations' processes send none, and it takes a fifteenth of the time that a server takes to load.
        import aiosmtplib  # noqa: PLC0415

        parts = urlsplit(self._smtp_url)
        tls = parts.scheme == "smtps"
        try:
            await aiosmtplib.send(
                message,
                hostname=parts.hostname,
                port=parts.port,
                username=unquote(parts.username) if parts.username else None,
                password=unquote(parts.password) if parts.password else None,
                use_tls=tls,
                start_tls=True if parts.username and not tls else None,
                timeout=timeout_s,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise MailRefused(f"The mail was not taken ({type(error).__name__}).") from error
