"""Telling people that something went wrong: the log, a webhook, e-mail.

Each way is tried, whatever became of the others; one that fails is said in the log, and
stops nothing.
"""

import json
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

from komek.base.errors import UsageError
from komek.base.say import Say
from komek.base.settings import scheduling

_SECONDS = 10


@dataclass(frozen=True)
class Alert:
    """What is told: a line that says where, and what happened."""

    subject: str
    text: str


def send(alert: Alert, say: Say) -> None:
    """Tell an alert by every way that is configured.

    Args:
        alert: without personal data.
        say: takes the alert, and a line for each way that failed.

    Raises:
        UsageError: a setting has a value of another kind.
    """
    say(f"alert: {alert.subject}: {alert.text}")
    given = scheduling()
    if given.alert_webhook:
        _try("webhook", lambda: _post(given.alert_webhook or "", alert), say)
    if given.alert_emails:
        _try("e-mail", lambda: _mail(alert), say)


def _try(way: str, act: Callable[[], None], say: Say) -> None:
    try:
        act()
    except HTTPError as error:
        say(f"warning: the {way} of an alert failed: status {error.code}")
    except (OSError, URLError, smtplib.SMTPException, ValueError, UsageError) as error:
        # Its words may quote the URL, which has a password in it.
        say(f"warning: the {way} of an alert failed: {type(error).__name__}")


def _post(url: str, alert: Alert) -> None:
    if urlsplit(url).scheme not in ("http", "https"):
        raise UsageError("KOMEK_ALERT_WEBHOOK is no URL of http or https")
    body = json.dumps(asdict(alert), ensure_ascii=False).encode()
    request = Request(  # noqa: S310  (its scheme is looked at above)
        url, data=body, headers={"Content-Type": "application/json"}
    )
    with urlopen(request, timeout=_SECONDS):  # noqa: S310  (as above)
        pass


def _mail(alert: Alert) -> None:
    given = scheduling()
    server = urlsplit(given.smtp or "smtp://127.0.0.1:25")
    message = EmailMessage()
    message["Subject"] = f"komek: {alert.subject}"
    message["From"] = given.alert_sender
    message["To"] = ", ".join(given.alert_emails)
    message.set_content(alert.text)
    secure = server.scheme == "smtps"
    host, port = server.hostname or "127.0.0.1", server.port or (465 if secure else 25)
    with (
        smtplib.SMTP_SSL(
            host, port, timeout=_SECONDS, context=ssl.create_default_context()
        )
        if secure
        else smtplib.SMTP(host, port, timeout=_SECONDS)
    ) as connection:
        if server.username:
            if not secure:
                # A password never goes in the open.
                connection.starttls(context=ssl.create_default_context())
            connection.login(unquote(server.username), unquote(server.password or ""))
        connection.send_message(message)
