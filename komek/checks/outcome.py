"""What came of the checks of a stage, and whether they stop the run."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from komek.base.errors import StoppedError, listed

Stage = Literal["door", "result"]
Verdict = Literal["passed", "warned", "overridden", "blocked", "stopped"]


@dataclass(frozen=True)
class Result:
    """What came of one expectation; counts and codes, never a value of a register.

    `regions` has the number of rows per region_kato where the scope is the region.
    """

    suite: str
    name: str
    severity: str
    verdict: Verdict
    success: bool
    unexpected_count: int | None
    message: str
    meta: dict[str, Any]
    regions: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What came of all checks of a stage."""

    stage: Stage
    override: str | None
    results: tuple[Result, ...]

    def _messages(self, verdict: Verdict) -> list[str]:
        return [result.message for result in self.results if result.verdict == verdict]

    @property
    def warnings(self) -> list[str]:
        """What people should know, and nothing stops for."""
        return self._messages("warned")

    @property
    def stopped(self) -> list[str]:
        """What stops the run."""
        return self._messages("stopped")

    @property
    def overridden(self) -> list[str]:
        """Tolerance checks that failed and were passed by override: suite.name."""
        return [
            f"{result.suite}.{result.name}"
            for result in self.results
            if result.verdict == "overridden"
        ]

    @property
    def blocked_regions(self) -> dict[str, str]:
        """The expectation that blocks a region's publication, by region_kato."""
        blocked: dict[str, str] = {}
        for result in self.results:
            if result.verdict == "blocked":
                for region in result.regions:
                    blocked.setdefault(region, result.name)
        return dict(sorted(blocked.items()))

    def raise_if_stopped(self) -> None:
        """Stop the run if a check demands it.

        Raises:
            StoppedError: names every entity or table, expectation and number of rows.
        """
        if self.stopped:
            raise StoppedError(
                f"{self.stage} check failed: {listed(self.stopped, '; ')}"
            )

    def as_json(self) -> dict[str, Any]:
        """Return what the report keeps."""
        return {
            "stage": self.stage,
            "override": self.override,
            "stopped": self.stopped,
            "overridden": self.overridden,
            "blocked_regions": self.blocked_regions,
            "warnings": self.warnings,
            "results": [asdict(result) for result in self.results],
        }
