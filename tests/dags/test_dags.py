"""The DAGs: how they import, how they are wired, and what they do when run."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from filed_run import GOLDEN
from komek.base import database, registries
from komek.base.database import KEY
from komek.base.places import DAGS, PROJECT, Home
from komek.publishing.publication import current_publication
from personal_data import people_of

ENTITIES = {entity.name: entity for entity in registries.entities()}
STEPS = [
    "prepare",
    "sort_registries",
    "check_registries",
    "find_facts",
    "apply_law",
    "write_tables",
    "check_result",
    "publish",
]
SECRET = "correct-horse-battery"
IMPORTED_ALONE = """
import json, socket, sys

def refuse(*_):
    raise AssertionError("a DAG file opens a connection at import")

socket.socket.connect = refuse
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
heavy = {"dbt", "duckdb", "great_expectations", "pandas", "pyarrow"}
print(json.dumps([bag.import_errors, len(bag.dags), sorted(heavy & set(sys.modules))]))
"""


# Import


def test_the_dags_import_alone(tmp_path: Path) -> None:
    """No error, no connection, no database, and none of the heavy libraries."""
    result = subprocess.run(
        [sys.executable, "-c", IMPORTED_ALONE, str(DAGS)],
        env=os.environ
        | {
            "AIRFLOW_HOME": str(tmp_path),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/absent.db",
        },
        capture_output=True,
        text=True,
        check=True,
    )

    said = json.loads(result.stdout.splitlines()[-1])

    assert said == [{}, len(ENTITIES) + 2, []]
    assert not (tmp_path / "absent.db").exists()


# Structure


@pytest.fixture(scope="module")
def dags(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
        # Airflow reads its settings when it is first imported.
        from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415

        yield DagBag(DAGS).dags


def test_there_is_a_pull_per_registry_and_one_eligibility(dags: dict[str, Any]) -> None:
    assert set(dags) == {f"pull_{n}" for n in ENTITIES} | {"eligibility", "deadline"}


@pytest.mark.parametrize("name", ENTITIES)
def test_a_pull_is_what_the_registry_table_says(
    dags: dict[str, Any], name: str
) -> None:
    dag = dags[f"pull_{name}"]

    # To Airflow a comma parts two owners.
    assert dag.owner.replace(";", ",") == ENTITIES[name].owner
    assert dag.timetable.expression == ENTITIES[name].schedule
    assert dag.timetable.timezone == "Asia/Almaty"
    assert dag.timetable.key_format == "%Y-%m-%d"
    assert f"{ENTITIES[name].tolerance.max_age_days} days" in dag.doc_md
    outlets = {
        task.task_id: [asset.name for asset in task.outlets] for task in dag.tasks
    }
    assert outlets == {
        "land": [f"komek/{name}"],
        "ask_for_a_run": ["komek/registries"],
    }


def test_no_owner_is_two(dags: dict[str, Any]) -> None:
    assert not [dag.dag_id for dag in dags.values() if "," in dag.owner]


def test_eligibility_waits_for_a_day_of_the_registries(dags: dict[str, Any]) -> None:
    timetable = dags["eligibility"].timetable

    assert timetable.partitioned
    assert timetable.asset_condition.name == "komek/registries"


def test_eligibility_is_one_chain(dags: dict[str, Any]) -> None:
    dag = dags["eligibility"]
    chain = {task: dag.task_dict[task].downstream_task_ids for task in STEPS}

    assert chain == {
        "prepare": {"sort_registries", "clear_away"},
        **{task: {after} for task, after in pairwise(STEPS[1:])},
        "publish": {"clear_away"},
    }
    assert set(dag.task_dict) == {*STEPS, "clear_away"}
    assert dag.task_dict["clear_away"].is_teardown


def test_a_person_approves_where_that_is_switched_on(
    dags: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415  (as above)

    monkeypatch.setenv("KOMEK_APPROVAL", "1")
    dag = DagBag(DAGS / "eligibility.py").dags["eligibility"]

    assert "approve" not in dags["eligibility"].task_dict
    assert "approve" in dag.task_dict["check_result"].downstream_task_ids
    assert "publish" in dag.task_dict["approve"].downstream_task_ids
    assert type(dag.task_dict["approve"]).__name__ == "Approval"
    assert dag.task_dict["publish"].trigger_rule == "all_success"


def test_eligibility_takes_what_the_command_line_takes(dags: dict[str, Any]) -> None:
    params = dags["eligibility"].params

    assert dict(params) == {
        "as_of": None,
        "known_at": None,
        "policies": {},
        "override": None,
        "publish": False,
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("as_of", "20 April"),
        ("known_at", 20200420),
        ("policies", {"list.day": 1}),
        ("override", " "),
    ],
)
def test_eligibility_refuses_a_param_of_another_kind(
    dags: dict[str, Any], name: str, value: object
) -> None:
    param = dags["eligibility"].params.get_param(name)

    with pytest.raises(Exception, match=r"Failed validating|is not a"):
        param.resolve(value)


def test_one_run_at_a_time_writes(dags: dict[str, Any]) -> None:
    assert all(dag.max_active_runs == 1 for dag in dags.values())
    assert dags["eligibility"].max_active_tasks == 1


def test_all_but_the_look_at_the_day_is_tried_again(dags: dict[str, Any]) -> None:
    retries = {
        task.task_id: (task.retries, task.retry_delay.total_seconds())
        for dag in dags.values()
        for task in dag.tasks
    }

    assert retries.pop("look")[0] == 0
    assert {retries.pop(name) for name in ("land", "ask_for_a_run")} == {(3, 300)}
    assert set(retries.values()) == {(2, 300)}
    backoff = {task.retry_exponential_backoff for task in dags["eligibility"].tasks}
    assert backoff == {2.0}


def test_every_task_that_fails_is_told(dags: dict[str, Any]) -> None:
    for dag in dags.values():
        for task in dag.tasks:
            told = [function.__name__ for function in task.on_failure_callback]
            assert told == ["tell_failure"], f"{dag.dag_id} {task.task_id}"


def test_one_run_of_a_backfill_waits_for_the_home(dags: dict[str, Any]) -> None:
    assert dags["eligibility"].task_dict["prepare"].max_active_tis_per_dag == 1


# End to end


@dataclass(frozen=True)
class Machine:
    """Where the DAGs run, under a key: a home, and Airflow's own."""

    home: Home
    airflow: Path

    def run_dags(self, drop: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(PROJECT / "dev" / "local_airflow.py")]
        return subprocess.run(
            [*command, "run", "--as-of", "2020-04-20"],
            env=os.environ
            | {
                "AIRFLOW_HOME": str(self.airflow),
                "KOMEK_HOME": str(self.home.root),
                "KOMEK_DROP": str(drop),
                KEY: SECRET,
            },
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    folder = tmp_path_factory.mktemp("machine")
    return Machine(Home(folder / "home"), folder / "airflow")


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, SECRET)


@pytest.fixture(scope="module")
def published(machine: Machine) -> subprocess.CompletedProcess[str]:
    return machine.run_dags(GOLDEN)


def test_the_dags_publish_by_region(
    machine: Machine, published: subprocess.CompletedProcess[str], key: None
) -> None:
    assert published.returncode == 0, published.stdout + published.stderr
    assert re.findall(r"eligibility: (\w+) +[0-9.]+ s  done", published.stdout) == [
        *STEPS,
        "clear_away",
    ]
    # The last pull of the day asks for a run, and no other.
    asked = re.findall(r"(\w+): ask_for_a_run +[0-9.]+ s  done", published.stdout)
    assert asked == [f"pull_{[*ENTITIES][-1]}"]
    warehouse_file = machine.home.published_warehouse
    with database.connect(warehouse_file, read_only=True) as warehouse:
        (listed,) = warehouse.execute(
            "select count(*) from marts.food_set_recipients"
        ).fetchone()
        regions = warehouse.execute(
            "select region_kato from marts.region_status"
            " where publication = 'published'"
        ).fetchall()
    assert listed > 0
    assert {region for (region,) in regions} == {
        folder.name for folder in (machine.home.published / "2020-04-01").iterdir()
    }
    assert not list(machine.home.scratch.iterdir())


def test_no_person_stands_in_airflows_logs_or_database(
    machine: Machine, published: subprocess.CompletedProcess[str]
) -> None:
    iins = {iin.encode() for iin in people_of(GOLDEN / "persons").iins}

    assert len(iins) > 100
    for path in (*machine.airflow.rglob("*.log"), *machine.airflow.glob("*.db")):
        assert not iins & set(re.findall(rb"(?=(\d{12}))", path.read_bytes()))


def test_no_key_stands_in_any_file(
    machine: Machine, published: subprocess.CompletedProcess[str], key: None
) -> None:
    regions = [pack.name for pack in machine.home.published.glob("*/*")]
    keys = [SECRET, *map(database.key_of, (None, *regions))]
    files = [
        path
        for root in (machine.home.root, machine.airflow)
        for path in root.rglob("*")
        if path.is_file()
    ]

    assert {path.suffix for path in files} >= {".log", ".db", ".duckdb", ".json"}
    for path in files:
        held = path.read_bytes()
        assert not [key for key in keys if key.encode() in held], path
    assert not [key for key in keys if key in published.stdout + published.stderr]


def test_a_run_that_a_check_stops_leaves_what_is_published(
    machine: Machine,
    published: subprocess.CompletedProcess[str],
    tmp_path: Path,
) -> None:
    before = current_publication(machine.home)
    late = tmp_path / "persons" / "2020-04-19.csv"
    late.parent.mkdir()
    late.write_text("iin,last_name,first_name,birth_date\n", encoding="utf-8")

    stopped = machine.run_dags(tmp_path)

    assert stopped.returncode == 1
    (line,) = [line for line in stopped.stdout.splitlines() if "failed:" in line]
    assert "eligibility: check_registries" in line
    assert "persons" in line
    assert "sex" in line
    assert "eligibility: publish" not in stopped.stdout
    assert current_publication(machine.home) == before
    assert not list(machine.home.scratch.iterdir())
