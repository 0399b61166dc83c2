"""What renames a run: whatever decides or checks, and no word for people."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from komek.base import places
from komek.runs.inputs import CalendarInput, Inputs
from komek.runs.run import Request, run_id_of
from komek.runs.version import code_version

DAY = date(2020, 4, 20)
REQUEST = Request(DAY, DAY, {})
INPUTS = Inputs((), CalendarInput("1", "0"))
# Of a file: the text that is replaced, and by what.
DECIDES = {
    "komek/base/database.py": ("", "#"),
    "komek/landing/received_csv.py": ("", "#"),
    "komek/runs/layout.py": ("", "#"),
    "komek/checks/outcome.py": ("", "#"),
    "komek/pipeline.py": ("", "#"),
    "dbt_project/models/law/p26_list.sql": ("", "--"),
    "dbt_project/models/law/p26_list.yml": ("data_type: date", "data_type: varchar"),
    "dbt_project/models/staging/registries.yml": ("type: iin", "type: text"),
    "dbt_project/macros/dialect.sql": ("", "--"),
    "dbt_project/tests/generic/unique_together.sql": ("", "--"),
    "dbt_project/dbt_project.yml": ("enforced: true", "enforced: false"),
    "dbt_project/profiles.yml": ("threads: 1", "threads: 2"),
    "dbt_project/seeds/law/law.yml": ("starts_at: timestamp", "starts_at: date"),
    "dbt_project/seeds/law/parameters.csv": ("", "\n"),
    "expectations/door/persons.yml": ("severity: warning", "severity: critical"),
    "requirements.txt": ("duckdb==", "duckdb==9"),
}
TELLS = {
    "komek/publishing/workbook.py": ("", "#"),
    "komek/trust/chain.py": ("", "#"),
    "komek/explain/text.py": ("", "#"),
    "komek/explain/words.csv": ("Decisions on IIN", "What was decided on IIN"),
    "komek/diff/text.py": ("", "#"),
    "komek/nation/write.py": ("", "#"),
    "komek/nation/people.sql": ("", "--"),
    "komek/cli/__init__.py": ("Pull, check, decide", "Pull, decide"),
    "komek/wiring/__init__.py": ("", "#"),
    "komek/keep/backup.py": ("", "#"),
    "komek/simulate/text.py": ("", "#"),
    "komek/terminal/__init__.py": ("", "#"),
    "komek/sources/told.py": ("", "#"),
    "komek/papers/words.csv": ("Перечень лиц", "Список лиц"),
    "komek/portal/pages.py": ("", "#"),
    "dags/eligibility.py": ("", "#"),
    "expectations/pages/index.html": ("", " "),
    "expectations/publication.yml": ("max_change_percent: ", "max_change_percent: 1"),
    "expectations/door/persons.yml": ("reason: ", "reason: As we know, "),
    "dbt_project/models/law/p26_list.yml": ("description: >", "description: |"),
    "dbt_project/models/staging/registries.yml": ("", "# A word more."),
    "dbt_project/models/law/unit_tests/p26_list.yml": ("", "# A word more."),
    "dbt_project/seeds/law/law.yml": ("The acts that", "Plainly, the acts that"),
    "README.md": ("", "A word more."),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the project that may be edited."""
    copy = tmp_path_factory.mktemp("copy") / "project"
    shutil.copytree(
        places.PROJECT,
        copy,
        ignore=shutil.ignore_patterns(
            ".*", "__pycache__", "data", "tests/golden", "target", "logs", "bench"
        ),
    )
    with pytest.MonkeyPatch.context() as patch:
        for name in ("PACKAGE", "DBT_PROJECT", "LAW_SEEDS", "EXPECTATIONS"):
            below = getattr(places, name).relative_to(places.PROJECT)
            patch.setattr(places, name, copy / below)
        patch.setattr(places, "PROJECT", copy)
        yield copy


@pytest.fixture(scope="module")
def before(project: Path) -> str:
    return run_id_of(REQUEST, INPUTS)


def run_id_after(path: Path, edit: tuple[str, str]) -> str:
    text = path.read_text(encoding="utf-8")
    old, new = edit
    assert old in text
    path.write_text(text.replace(old, new, 1) if old else text + new, encoding="utf-8")
    try:
        return run_id_of(REQUEST, INPUTS)
    finally:
        path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", DECIDES)
def test_what_decides_renames_a_run(project: Path, before: str, name: str) -> None:
    assert run_id_after(project / name, DECIDES[name]) != before


@pytest.mark.parametrize("name", TELLS)
def test_what_tells_does_not(project: Path, before: str, name: str) -> None:
    assert run_id_after(project / name, TELLS[name]) == before


def test_every_room_is_told_apart(project: Path) -> None:
    rooms = {path.parent.name for path in project.glob("komek/*/__init__.py")}
    named = {Path(name).parent.name for name in (*DECIDES, *TELLS)}

    assert rooms <= named


def test_a_copy_has_the_same_version(project: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("PACKAGE", "DBT_PROJECT", "EXPECTATIONS"):
            below = getattr(places, name).relative_to(project)
            patch.setattr(places, name, Path(__file__).parents[2] / below)
        patch.setattr(places, "PROJECT", Path(__file__).parents[2])
        ours = code_version()

    assert code_version() == ours
