"""Telling people: by every way that is configured, and no secret in what is said."""

import json
import smtplib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Self

import pytest

from komek.base import alerts
from komek.base.alerts import Alert, send

ALERT = Alert("pull_persons: land, 2020-04-20", "refused at landing\nnothing stands")


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """A server on loopback that keeps what it is told."""
    told: list[dict[str, Any]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            told.append(json.loads(self.rfile.read(size)))
            self.send_response(500 if "secret-500" in self.path else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/secret"
    monkeypatch.setenv("KOMEK_ALERT_WEBHOOK", url)
    yield told
    server.shutdown()
    server.server_close()


class Mailbox:
    """An SMTP connection that keeps what it is told."""

    done: list[tuple[str, ...]]

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self.done = [("connect", host, str(port))]
        Mailbox.last = self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def starttls(self, context: object) -> None:
        self.done.append(("starttls",))

    def login(self, user: str, password: str) -> None:
        self.done.append(("login", user, password))

    def send_message(self, message: Any) -> None:
        self.done.append(("send", message["To"], message["Subject"]))
        self.text = message.get_content()


def test_the_log_is_told_always(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    send(ALERT, said.append)

    assert said == [f"alert: {ALERT.subject}: {ALERT.text}"]


def test_a_webhook_is_told(hook: list[dict[str, Any]]) -> None:
    send(ALERT, lambda _: None)

    assert hook == [{"subject": ALERT.subject, "text": ALERT.text}]


def test_people_are_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtplib, "SMTP", Mailbox)
    monkeypatch.setenv("KOMEK_ALERT_EMAILS", "duty@example.kz, owner@example.kz")
    monkeypatch.setenv("KOMEK_SMTP", "smtp://komek:p%40ss@mail.example.kz:587")

    send(ALERT, lambda _: None)

    assert Mailbox.last.done == [
        ("connect", "mail.example.kz", "587"),
        ("starttls",),
        ("login", "komek", "p@ss"),
        ("send", "duty@example.kz, owner@example.kz", f"komek: {ALERT.subject}"),
    ]
    assert Mailbox.last.text.strip() == ALERT.text


@pytest.mark.parametrize("way", ["/secret-500", "down", "file:///etc/passwd#secret"])
def test_a_way_that_fails_is_said_without_its_secret(
    monkeypatch: pytest.MonkeyPatch, hook: list[dict[str, Any]], way: str
) -> None:
    urls = {"down": "http://127.0.0.1:9/secret"}
    here = alerts.scheduling().alert_webhook
    monkeypatch.setenv(
        "KOMEK_ALERT_WEBHOOK",
        urls.get(way, way if ":" in way else f"{here}{way}"),
    )
    said: list[str] = []

    send(ALERT, said.append)

    assert "webhook" in said[1]
    assert not any("secret" in line for line in said)
