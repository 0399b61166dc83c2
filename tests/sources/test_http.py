"""Web services: every page once, what broke off gone on with, or nothing landed."""

import datetime
import ipaddress
import json
import ssl
import time
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import servers
from komek.base.errors import UsageError
from pulled import DAY, MEMBERS, Pulls
from servers import Answer, Web, answered

PEOPLE = [{"award_id": f"a{n}", "iin": f"{n}"} for n in range(5)]
ALL = [(f"a{n}", f"{n}") for n in range(5)]
TOKEN = "t0ken-of-a-test"


def service(web: Web, path: str = "/items", **more: object) -> dict:
    return {"kind": "http", "where": web.url(path), "rows": "$.items", **more}


def page(items: list[dict], **more: object) -> bytes:
    return json.dumps({"items": items, **more}).encode()


def pages(*of: list[dict], total: int | None = 5) -> dict[str, Answer]:
    """Return answers by the number of the page; behind the last are empty ones."""
    more = {} if total is None else {"total": total}
    numbered = [*of, [], []]
    return {
        f"/items?page={number}": answered(page(items, **more))
        for number, items in enumerate(numbered, start=1)
    }


def first_then(*answers: Answer) -> Answer:
    """Return what gives each answer once, and the last for ever."""
    left = list(answers)

    def answer(request: BaseHTTPRequestHandler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(request)

    return answer


NUMBERED = {"page": {"number": "page"}, "total": "$.total"}


def test_one_answer_is_a_snapshot(web: Web, pulls: Pulls) -> None:
    web.answers["/items"] = answered(page(PEOPLE))
    source = service(web, "/items?as_of={date:%d.%m.%Y}")
    (snapshot,) = pulls.pull(asp_members=source)
    assert pulls.rows() == ALL
    assert web.asked[0][0] == "/items?as_of=18.04.2020"
    assert snapshot.files[0].file == f"{MEMBERS}/{DAY}.parquet"
    assert snapshot.manifest.source == "http 127.0.0.1/items"
    # What is told around the rows makes no revision.
    web.answers["/items"] = answered(page(PEOPLE, made_at=time.time()))
    assert pulls.pull(asp_members=source) == []


def test_values_are_what_they_are_in_json(web: Web, pulls: Pulls) -> None:
    row = {
        "norm_id": "n",
        "kato": "110000000",
        "mode": "cash",
        "act_ref": "x",
        "set_cost": 5302.50,
        "valid_from": 43951,
        "decided_on": "01.04.2020",
    }
    web.answers["/items"] = answered(page([row, {**row, "set_cost": 53e2}, {}]))
    dialect = {"dates": ["%d.%m.%Y"], "decimal": ","}
    pulls.pull(food_set_norms=service(web, dialect=dialect))
    first, second, third = pulls.rows("food_set_norms")
    assert first[3:] == ("5302.5", "?43951", None, "2020-04-01", "x")
    assert second[3] == "5300"
    assert third == (None,) * 8


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"award_id": "a", "iin": 1}, "lost its leading zeros: iin"),
        ({"award_id": "a", "iin": ["1"]}, "more than a value in iin"),
        ({"iin": "1"}, "lacks the columns award_id"),
    ],
)
def test_wrong_columns_are_refused(
    web: Web, pulls: Pulls, row: dict, said: str
) -> None:
    web.answers["/items"] = answered(page([row]))
    assert said in pulls.refused(asp_members=service(web))


def test_pages_by_number(web: Web, pulls: Pulls) -> None:
    web.answers = pages(PEOPLE[:2], PEOPLE[2:4], PEOPLE[4:])
    pulls.pull(asp_members=service(web, **NUMBERED))
    assert pulls.rows() == ALL
    # All have come: nothing more is asked.
    assert len(web.asked) == 3


def test_pages_by_offset_without_a_total(web: Web, pulls: Pulls) -> None:
    for offset in (0, 2, 4, 5, 7):
        body = page(PEOPLE[offset : offset + 2])
        web.answers[f"/items?limit=2&offset={offset}"] = answered(body)
    paging = {"offset": "offset", "size": 2, "limit": "limit"}
    (snapshot,) = pulls.pull(asp_members=service(web, page=paging))
    assert snapshot.rows == 5


def test_pages_by_cursor(web: Web, pulls: Pulls) -> None:
    web.answers = {
        "/items": answered(page(PEOPLE[:3], next="x=&1")),
        "/items?cursor=x%3D%261": answered(page(PEOPLE[3:], next=None)),
    }
    paging = {"cursor": "$.next", "parameter": "cursor"}
    pulls.pull(asp_members=service(web, page=paging))
    assert pulls.rows() == ALL


def test_pages_by_link(web: Web, pulls: Pulls) -> None:
    first = json.dumps(PEOPLE[:3]).encode()
    web.answers = {
        "/items": answered(first, Link='</more>; rel="next"'),
        "/more": answered(json.dumps(PEOPLE[3:]).encode()),
    }
    pulls.pull(asp_members=service(web, page={"link": True}, rows="$"))
    assert pulls.rows() == ALL


def test_csv_pages_are_parts(web: Web, pulls: Pulls) -> None:
    web.answers = {
        "/items": answered(
            "ИИН;award_id\n1;a\n".encode("cp1251"), Link="</b>; rel=next"
        ),
        "/b": answered("ИИН;award_id\n2;b\nlost\n".encode("cp1251")),
    }
    dialect = {"encoding": "cp1251", "delimiter": ";", "columns": {"ИИН": "iin"}}
    source = service(web, format="csv", page={"link": True}, dialect=dialect)
    (snapshot,) = pulls.pull(asp_members=source)
    assert [file.file for file in snapshot.files] == [
        f"{MEMBERS}/{DAY}/page-00001.csv",
        f"{MEMBERS}/{DAY}/page-00002.csv",
    ]
    assert snapshot.manifest.malformed_rows == 1


def test_json_lines(web: Web, pulls: Pulls) -> None:
    lines = "\n\n".join(json.dumps(one) for one in PEOPLE)
    web.answers["/items"] = answered(lines.encode())
    pulls.pull(asp_members=service(web, format="jsonl"))
    assert pulls.rows() == ALL


# What goes wrong


@pytest.mark.parametrize(
    ("of", "total", "said"),
    [
        ((PEOPLE[:2], PEOPLE[:2], PEOPLE[4:]), 5, "page 2 came before"),
        ((PEOPLE[:2], PEOPLE[4:]), 5, "3 rows came of the 5"),
        ((PEOPLE[:2], [], PEOPLE[2:4]), None, "page 2 is empty, and page 3 is not"),
        ((PEOPLE[:2], PEOPLE[2:3], PEOPLE[3:]), None, "page 2 is shorter than"),
    ],
    ids=["repeated", "missing", "left out", "short"],
)
def test_pages_that_are_not_all_are_refused(
    web: Web, pulls: Pulls, of: tuple, total: int | None, said: str
) -> None:
    web.answers = pages(*of, total=total)
    more = NUMBERED if total else {"page": NUMBERED["page"]}
    told = pulls.refused(asp_members=service(web, retries=1, **more))
    assert said in told
    assert "(tried 2 times)" in told


def test_a_page_that_is_gone_is_no_end(web: Web, pulls: Pulls) -> None:
    web.answers = pages(PEOPLE[:2], PEOPLE[2:4], PEOPLE[4:], total=None)
    del web.answers["/items?page=2"]
    told = pulls.refused(asp_members=service(web, page=NUMBERED["page"]))
    assert "has nothing there (status 404) (not tried again)" in told


def test_a_total_that_changes_means_reading_again(web: Web, pulls: Pulls) -> None:
    web.answers = pages(PEOPLE[:3], PEOPLE[3:])
    web.answers["/items?page=1"] = first_then(
        answered(page(PEOPLE[:3], total=4)), answered(page(PEOPLE[:3], total=5))
    )
    pulls.pull(asp_members=service(web, **NUMBERED))
    assert pulls.rows() == ALL
    assert any("changed while it was read" in line for line in pulls.said)


def test_cursors_that_go_round_are_refused(web: Web, pulls: Pulls) -> None:
    web.answers["/items"] = answered(page(PEOPLE[:1], next="1"))
    paging = {"cursor": "$.next", "parameter": "cursor"}
    told = pulls.refused(asp_members=service(web, page=paging, retries=0))
    assert "names as the next page one that came before" in told


def test_a_next_page_elsewhere_gets_no_token(web: Web, pulls: Pulls) -> None:
    pulls.connect("appeals", f"http://:{TOKEN}@127.0.0.1")
    link = f'<http://localhost:{web.port}/more>; rel="next"'
    web.answers["/items"] = answered(page(PEOPLE), Link=link)
    source = service(web, page={"link": True}, connection="appeals")
    assert "at another service" in pulls.refused(asp_members=source)
    assert len(web.asked) == 1


def cut_off(body: bytes, tag: str | None) -> Answer:
    """Return what breaks off in the middle, and goes on where it is asked to."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        start = request.headers.get("Range", "bytes=0-")[6:-1]
        goes_on = bool(tag) and request.headers.get("If-Range") == tag
        if goes_on:
            more = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}
            send(request, 206, body[int(start) :], more)
            return
        send(request, 200, body[: len(body) // 2], {}, length=len(body))
        request.close_connection = True

    def send(request, status, part, more, length=None):
        request.send_response(status)
        headers = {"Content-Length": str(length or len(part)), **more}
        for name, value in (headers | ({"ETag": tag} if tag else {})).items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(part)

    return answer


def csv_of(rows: int) -> bytes:
    return b"award_id,iin\n" + b"".join(b"a%d,%d\n" % (n, n) for n in range(rows))


def test_what_breaks_off_is_gone_on_with(web: Web, pulls: Pulls) -> None:
    web.answers["/items"] = cut_off(csv_of(999), '"v1"')
    (snapshot,) = pulls.pull(asp_members=service(web, format="csv"))
    assert snapshot.rows == 999
    ranged = [headers for _, headers in web.asked if "Range" in headers]
    assert [one["If-Range"] for one in ranged] == ['"v1"']
    # And it is asked whether that is still it.
    web.answers["/items"] = answered(b"", 304)
    assert pulls.pull(asp_members=service(web, format="csv")) == []
    assert web.asked[-1][1]["If-None-Match"] == '"v1"'
    assert len(pulls.pull(DAY.replace(day=19), asp_members=service(web))) == 1


def test_what_breaks_off_for_ever_is_no_snapshot(web: Web, pulls: Pulls) -> None:
    web.answers["/items"] = cut_off(csv_of(999), None)
    told = pulls.refused(asp_members=service(web, format="csv", retries=1))
    assert "breaks off its answer (tried 2 times)" in told


def test_what_changes_in_the_middle_is_read_anew(web: Web, pulls: Pulls) -> None:
    web.answers["/items"] = first_then(
        cut_off(csv_of(99), '"v1"'), answered(csv_of(7), ETag='"v2"')
    )
    (snapshot,) = pulls.pull(asp_members=service(web, format="csv"))
    assert snapshot.rows == 7


def test_a_length_that_is_too_short_is_no_json(web: Web, pulls: Pulls) -> None:
    body = page(PEOPLE)
    web.answers["/items"] = answered(body, length=len(body) - 5)
    told = pulls.refused(asp_members=service(web, retries=1))
    assert "no JSON, or is cut off (tried 2 times)" in told


def slow(request: BaseHTTPRequestHandler) -> None:
    time.sleep(0.5)


def unbroken(request: BaseHTTPRequestHandler) -> None:
    request.send_response(302)
    request.send_header("Location", "/items")
    request.send_header("Content-Length", "0")
    request.end_headers()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (answered(b"x", 500), "fails (status 500) (tried 2 times)"),
        (slow, "does not answer in time (tried 2 times)"),
        (unbroken, "redirects without end (not tried again)"),
        (answered(b"x", 401), "refuses the credentials (status 401) (not tried"),
        (answered(b"x", 403), "refuses the credentials (status 403) (not tried"),
        (answered(b"x", 404), "has nothing there (status 404) (not tried again)"),
        (answered(b"x", 400), "fails (status 400) (not tried again)"),
        (answered(b"Ivanov"), "no JSON, or is cut off (tried 2 times)"),
        (answered(b'{"items": 7}'), "no list of rows at $.items (not tried"),
        (answered(b""), "is empty: zero bytes (not tried again)"),
        (answered(b"", 503, Retry_After="9999"), "fails (status 503) (tried 1 times)"),
    ],
)
def test_faults_are_told_in_one_line(
    web: Web, pulls: Pulls, fault: Answer, said: str
) -> None:
    pulls.connect("appeals", f"http://:{TOKEN}@127.0.0.1")
    web.answers["/items"] = fault
    source = service(web, connection="appeals", retries=1, timeout="0.2s")
    told = pulls.refused(asp_members=source)
    assert said in told
    assert "\n" not in told
    shown = told + "".join(pulls.said)
    assert TOKEN not in shown
    assert "Ivanov" not in shown


def test_a_service_that_recovers_is_read(web: Web, pulls: Pulls) -> None:
    soon = format_datetime(datetime.datetime.now(datetime.UTC), usegmt=True)
    web.answers["/items"] = first_then(
        answered(b"x", 503, Retry_After="0"),
        answered(b"x", 429, Retry_After=soon),
        answered(b"x", 500),
        answered(page(PEOPLE)),
    )
    pulls.pull(asp_members=service(web))
    assert pulls.rows() == ALL


def test_a_service_is_waited_for_as_it_asks(
    web: Web, pulls: Pulls, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", waited.append)
    web.answers["/items"] = first_then(
        answered(b"x", 503, Retry_After="7"), answered(page(PEOPLE))
    )
    pulls.pull(asp_members=service(web))
    assert [round(one) for one in waited] == [7]


@pytest.mark.parametrize(
    "connection",
    [
        f"http://:{TOKEN}@127.0.0.1",
        f"http://bearer:{TOKEN}@127.0.0.1",
        f"http://127.0.0.1/?token={TOKEN}",
        f"bearer://{TOKEN}",
        TOKEN,
    ],
)
def test_a_token_comes_from_the_connection(
    web: Web, pulls: Pulls, connection: str
) -> None:
    pulls.connect("appeals", connection)
    web.answers["/items"] = answered(page(PEOPLE))
    pulls.pull(asp_members=service(web, connection="appeals"))
    assert web.asked[0][1]["Authorization"] == f"Bearer {TOKEN}"
    landed = [path.read_bytes() for path in pulls.home.root.rglob("*.json")]
    assert landed
    assert not any(TOKEN.encode() in content for content in landed)


def certificate(folder: Path, name: str) -> Path:
    """Write a certificate that vouches for itself, with its key, into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder(called, called, key.public_key(), 7)
        .not_valid_before(now - datetime.timedelta(1))
        .not_valid_after(now + datetime.timedelta(1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_a_certificate_comes_from_the_connection(pulls: Pulls, tmp_path: Path) -> None:
    ours, theirs = certificate(tmp_path, "ours"), certificate(tmp_path, "theirs")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(theirs)
    context.load_verify_locations(ours)
    context.verify_mode = ssl.CERT_REQUIRED
    with servers.web(context) as web:
        web.answers["/items"] = answered(page(PEOPLE))
        source = service(web, connection="appeals", where="/items", retries=0)
        at = f"https://127.0.0.1:{web.port}/"
        pulls.connect("appeals", f"{at}?cert={ours}&ca={theirs}")
        assert len(pulls.pull(asp_members=source)) == 1
        pulls.connect("appeals", f"{at}?cert={ours}")
        assert "certificate that is not trusted" in pulls.refused(asp_members=source)
        pulls.connect("appeals", f"{at}?ca={theirs}")
        assert "(not tried again)" not in pulls.refused(asp_members=source)


def test_a_url_must_be_one(pulls: Pulls) -> None:
    with pytest.raises(UsageError, match="is no URL of a web service"):
        pulls.pull(asp_members={"kind": "http", "where": "file:///etc/passwd"})
