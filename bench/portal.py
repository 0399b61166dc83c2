"""The portal under load: fifty people of every role at once, with locust.

    komek serve --demo --json --rate 1000000 --home HOME >accounts.json &
    KOMEK_ACCOUNTS=accounts.json locust -f bench/portal.py --headless \
        --users 50 --spawn-rate 10 --run-time 60s

Locust is in no requirements file: `pip install locust` beside the project. Everyone
follows the links of the page they are on, with one to three seconds between; what makes
files (papers, downloads) is no page, and left out. Prints percentiles per kind of page.
"""

import json
import os
import random
import re
import time
from pathlib import Path

import requests
from locust import HttpUser, between, events, task

TOLD = json.loads(Path(os.environ["KOMEK_ACCOUNTS"]).read_text(encoding="utf-8"))
NO_PAGE = re.compile(
    r"/(sign-out|language|static|papers/|docs/|overview)|[.](csv|xlsx|pdf|zip|parquet)"
)
PERSON = re.compile(r"/people/[0-9]+/[0-9]+")
SEES_A_PERSON, FOLLOWS_A_LINK = 0.3, 0.85
chance = random.Random(118)  # noqa: S311  (nothing secret)
sessions: list[tuple[str, dict[str, str]]] = []


def sign_in(name: str, password: str) -> dict[str, str]:
    """Return the cookies of a session; sign-ins are limited, so they may wait."""
    browser = requests.Session()
    while True:
        form = re.search(
            r'name="form" value="([^"]+)"', browser.get(f"{TOLD['url']}/sign-in").text
        )
        answer = browser.post(
            f"{TOLD['url']}/sign-in",
            data={"name": name, "password": password, "form": form and form[1]},
            headers={"Origin": TOLD["url"]},
            allow_redirects=False,
        )
        if answer.status_code == requests.codes.see_other:
            return browser.cookies.get_dict()
        time.sleep(3)


@events.test_start.add_listener
def start(**_: object) -> None:
    """Sign everyone in, once for each account."""
    for account in TOLD["accounts"]:
        cookies = sign_in(account["user"], account["password"])
        sessions.append((account["role"].partition(":")[0], cookies))


class Visitor(HttpUser):
    """Somebody who goes from page to page."""

    host = TOLD["url"]
    wait_time = between(1, 3)

    def on_start(self) -> None:
        """Be one of the accounts, where its role begins."""
        self.role, cookies = chance.choice(sessions)
        self.client.cookies.update(cookies)
        self.at = "/"

    @task
    def go(self) -> None:
        """Open a page, and choose where to go from there."""
        kind = re.sub(r"[?].*|[0-9]{4}[0-9a-f-]*", "", PERSON.sub("/people/n", self.at))
        page = self.client.get(self.at, name=f"{self.role} {kind}")
        links = [
            link.replace("&amp;", "&")
            for link in re.findall(r'href="(/[^"#]*)"', page.text)
            if not NO_PAGE.search(link)
        ]
        people = [link for link in links if PERSON.search(link)]
        if people and chance.random() < SEES_A_PERSON:
            self.at = chance.choice(people)
        elif links and chance.random() < FOLLOWS_A_LINK:
            self.at = chance.choice(links)
        else:
            self.at = "/"
