"""Where everything is: the project's own files, and what a home holds.

The one module that knows a path. A home looks like this::

    landing/<entity>/<YYYY-MM-DD>/r0001/     a snapshot revision and its manifest.json
    warehouse/runs/<run_id>.duckdb           a run's own file
    warehouse/komek.duckdb                   what is published now
    published/<list_month>/<region_kato>/    what a region takes away
    reports/<run_id>/                        validation, receipt, lineage, dbt artifacts
    days/<YYYY-MM-DD>.json                   which registries were pulled for a day
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from komek.base.errors import UsageError
from komek.base.settings import settings

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "komek"
DAGS = PROJECT / "dags"
DBT_PROJECT = PROJECT / "dbt_project"
REGISTRY_TABLE = DBT_PROJECT / "models" / "staging" / "registries.yml"
LAW_SEEDS = DBT_PROJECT / "seeds" / "law"
EXPECTATIONS = PROJECT / "expectations"
DEFAULT_HOME = PROJECT / "data"
MARGINALS = DEFAULT_HOME / "marginals"
# Whose days are meant, of schedules and of moments that registries deliver.
TIME_ZONE = "Asia/Almaty"


@dataclass(frozen=True)
class Home:
    """Everything komek writes lies under one root.

    Raises:
        UsageError: DuckDB cannot keep a file there.
    """

    root: Path

    def __post_init__(self) -> None:
        """Refuse a path that DuckDB cuts in two: after a `?` it expects options."""
        if "?" in str(self.root):
            raise UsageError(f"a home's path cannot have a ? in it: {self.root}")

    @classmethod
    def of_run_file(cls, run_file: Path) -> "Home":
        """Return the home that the DuckDB file of a finished run lies in."""
        return cls(run_file.parents[2])

    @property
    def landing(self) -> Path:
        """Immutable snapshots and their manifests."""
        return self.root / "landing"

    @property
    def warehouse(self) -> Path:
        """The published file, the runs' own files."""
        return self.root / "warehouse"

    @property
    def runs(self) -> Path:
        """One DuckDB file per run."""
        return self.warehouse / "runs"

    @property
    def publications(self) -> Path:
        """One folder per publication: its warehouse file and its packs."""
        return self.warehouse / "publications"

    @property
    def current(self) -> Path:
        """Link to the publication that holds now: all that a publication moves."""
        return self.warehouse / "current"

    @property
    def published_warehouse(self) -> Path:
        """What everyone reads."""
        return self.warehouse / "komek.duckdb"

    @property
    def published(self) -> Path:
        """The packs, by list month and region."""
        return self.root / "published"

    @property
    def reports(self) -> Path:
        """Validation results, receipts, lineage events."""
        return self.root / "reports"

    @property
    def scratch(self) -> Path:
        """Runs being built, spills: what a crash may leave and a rerun may delete."""
        return self.warehouse / "scratch"

    @property
    def lock(self) -> Path:
        """Held by the one process that writes."""
        return self.warehouse / "writer.lock"

    @property
    def claim(self) -> Path:
        """Which run goes on here, between two of its steps too."""
        return self.warehouse / "claim.json"

    @property
    def days(self) -> Path:
        """What has been pulled for which day, and what was refused."""
        return self.root / "days"

    def run_file(self, run_id: str) -> Path:
        """Return the DuckDB file of a finished run."""
        return self.runs / f"{run_id}.duckdb"

    def report(self, run_id: str) -> Path:
        """Return the folder of a run's reports."""
        return self.reports / run_id

    def entity(self, entity: str) -> Path:
        """Return the folder of an entity's landed snapshots."""
        return self.landing / entity

    def run_ids(self) -> Iterator[str]:
        """Yield the ids of the finished runs, in no order that means anything."""
        return (path.stem for path in sorted(self.runs.glob("*.duckdb")))


def default_home() -> Home:
    """Return the home named by KOMEK_HOME, else data/ in the project."""
    return Home(Path(settings().home or DEFAULT_HOME).resolve())


def default_drop() -> str:
    """Return the configured source, a path or a URL: KOMEK_DROP, else data/drop."""
    return settings().drop or str(DEFAULT_HOME / "drop")


def has_drop() -> bool:
    """Say whether there is a drop folder: one was set, or data/drop is there."""
    return settings().drop is not None or Path(default_drop()).is_dir()


def has_source() -> bool:
    """Say whether registries can be pulled: sources were set, or there is a drop."""
    return settings().sources is not None or has_drop()
