"""A CSV is of its declared encoding, or is refused."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from komek.base import registries
from komek.base.places import Home
from komek.landing import received_text
from landed_drop import (
    DAY,
    ENTITY,
    HEADER,
    land_csv,
    refusal,
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ((HEADER + "a,1\n").encode("utf-16"), "UTF-16"),
        ((HEADER + "a,1\n").encode("utf-16-le"), "NUL"),
        ((HEADER + "Серик,1\n").encode("windows-1251"), "not utf-8 text: byte 13"),
        (HEADER.encode() + b"a,\xc3", "not utf-8 text"),
        (HEADER.encode() + b"a,\xed\xa0\x80\n", "not utf-8 text"),
        (HEADER.encode() + b"a,1\0\n", "NUL"),
    ],
)
def test_a_wrong_encoding_is_refused(
    home: Home, drop: Path, content: bytes, reason: str
) -> None:
    assert reason in refusal(home, drop, f"{ENTITY}/{DAY}.csv", content)
    name = f"{ENTITY}/{DAY}.csv"
    (drop / name).unlink()
    assert reason in refusal(home, drop, f"{name}.gz", gzip.compress(content))


def test_the_byte_at_fault_is_named_far_into_the_file(
    home: Home, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(received_text, "_RAW_CHUNK", 7)
    content = (HEADER + "я,1\n" * 50).encode()
    message = refusal(home, drop, f"{ENTITY}/{DAY}.csv", content + b"\xd1,1\n")
    assert f"byte {len(content)}" in message


@pytest.mark.parametrize("encoding", ["windows-1251", "utf-16"])
def test_a_declared_encoding_is_decoded(
    home: Home, drop: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    declare_encoding(monkeypatch, encoding)
    monkeypatch.setattr(received_text, "_RAW_CHUNK", 7)
    content = (HEADER + "Серик,1\nпотеряно\n").encode(encoding)
    rows = [("Серик", "1", None), (None, None, "потеряно")]
    assert land_csv(home, drop, content) == rows


def declare_encoding(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    real = registries.entity
    monkeypatch.setattr(
        registries, "entity", lambda name: replace(real(name), encoding=encoding)
    )


def test_a_byte_order_mark_outweighs_the_declared_encoding(
    home: Home, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare_encoding(monkeypatch, "windows-1251")
    content = (HEADER + "Серик,1\n").encode("utf-8-sig")
    assert land_csv(home, drop, content) == [("Серик", "1", None)]


def test_an_undeclared_byte_of_a_declared_encoding_is_refused(
    home: Home, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare_encoding(monkeypatch, "windows-1251")
    name = f"{ENTITY}/{DAY}.csv"
    message = refusal(home, drop, name, HEADER.encode() + b"a,\x98\n")
    assert "not windows-1251 text: byte 15" in message


def test_an_entity_s_encoding_defaults_to_utf_8() -> None:
    assert {entity.encoding for entity in registries.entities()} == {"utf-8"}
