"""A suite file that is wrong is wrong usage."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from komek.base import places
from komek.base.errors import UsageError
from komek.checks.check import _check
from komek.checks.suites import door_suites, result_suites


@pytest.fixture
def suites(tmp_path: Path) -> Path:
    folder = tmp_path / "expectations"
    shutil.copytree(places.EXPECTATIONS, folder)
    return folder


def change_suite(folder: Path, change: Callable[[dict], object]) -> None:
    file = folder / "result" / "asp_extensions.yml"
    content = yaml.safe_load(file.read_text())
    change(content)
    file.write_text(yaml.safe_dump(content))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.update(sweet="yes"), "unknown key sweet"),
        (lambda s: s["expectations"][0].update(level=3), "unknown key level"),
        (lambda s: s["expectations"][0]["meta"].update(note=3), "unknown key note"),
        (lambda s: s["expectations"][0]["meta"].pop("reason"), "without reason"),
        (lambda s: s["expectations"][0]["meta"].pop("name"), "without name"),
        (lambda s: s["expectations"][0].update(severity="high"), "severity is"),
        (lambda s: s["expectations"][0]["meta"].update(scope="town"), "scope is"),
        (lambda s: s["expectations"].append(s["expectations"][0]), "two expectations"),
        (lambda s: s.update(table="marts.$nothing"), "unknown parameter"),
        (lambda s: s.update(include=["nothing"]), "cannot read"),
        (lambda s: s.update(name="other"), "name must be"),
        (
            lambda s: s["expectations"][0]["kwargs"].update(
                value_set={"$PARAMETER": "nothing"}
            ),
            "unknown parameter",
        ),
    ],
)
def test_a_wrong_suite_file_is_wrong_usage(suites, change, message):
    change_suite(suites, change)
    with pytest.raises(UsageError, match=message):
        result_suites(suites)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s["expectations"][0].update(type="expect_luck"), "expect_luck"),
        (lambda s: s["expectations"][0]["kwargs"].update(luck=1), "luck"),
        (lambda s: s["expectations"][0]["kwargs"].pop("column"), "column"),
    ],
)
def test_an_expectation_gx_does_not_take_is_wrong_usage(
    suites, change, message, good_result, tmp_path
):
    change_suite(suites, change)
    with pytest.raises(UsageError, match=message) as wrong:
        _check("result", result_suites(suites), good_result, tmp_path, None)
    assert "\n" not in str(wrong.value)


def test_an_entity_without_a_suite_is_wrong_usage(suites):
    (suites / "door" / "kato.yml").unlink()
    with pytest.raises(UsageError, match="kato"):
        door_suites(suites)
