"""`komek explain | diff | verify | simulate | papers`: what is filed, read."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import click

from komek.base.errors import StoppedError, listed
from komek.base.lock import writer_lock
from komek.base.policies import policy_overrides
from komek.publishing.publication import parsed_head
from komek.terminal import showing_progress
from komek.terminal.options import Day, home_at, home_option, json_option, show


@click.command()
@click.argument("iin")
@click.option("--run", "run_id", help="A finished run (default: the published one).")
@click.option(
    "--lang", type=click.Choice(["en", "ru", "kk"]), default="en", show_default=True
)
@home_option
@json_option
def explain(
    iin: str, run_id: str | None, lang: str, home: Path | None, as_json: bool
) -> None:
    """Every decision on a person: paragraph, reading, values compared, source rows."""
    from komek.explain import explain as explanation_of  # noqa: PLC0415
    from komek.explain import render  # noqa: PLC0415

    explanation = explanation_of(home_at(home), iin, run_id)
    show(explanation, lambda found: render(found, lang), as_json)


@click.command()
@click.argument("first")
@click.argument("second")
@home_option
@json_option
def diff(first: str, second: str, home: Path | None, as_json: bool) -> None:
    """Who was added, removed or changed between two runs, and the one cause of each."""
    from komek.diff import diff as difference_of  # noqa: PLC0415
    from komek.diff import render  # noqa: PLC0415

    at = home_at(home)
    with showing_progress(as_json) as progress:
        difference = difference_of(at, first, second, progress.say)
    show(difference, render, as_json)


@click.command()
@click.option("--month", help="YYYY-MM (default: the month of the published list).")
@click.option("--region", "region_kato", help="One region's code (default: all).")
@click.option("--kind", "kinds", multiple=True, help="Only this kind (repeat).")
@click.option("--lang", default="ru", show_default=True, help="ru or kk.")
@click.option(
    "--to",
    "target",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where they go (default: papers/<publication>/ in the home).",
)
@home_option
@json_option
def papers(
    month: str | None,
    region_kato: str | None,
    kinds: Sequence[str],
    lang: str,
    target: Path | None,
    home: Path | None,
    as_json: bool,
) -> None:
    """Lists, supplements, hand-over sheets, payments, ...: as workbooks and PDF."""
    from komek.papers import Request, lines, make_told  # noqa: PLC0415

    request = Request(kinds, month, region_kato, lang)
    with showing_progress(as_json) as progress:
        told = make_told(home_at(home), request, target, progress.say)
    show(told, lines, as_json)


@click.command()
@click.argument("run_id", metavar="[RUN]", required=False)
@click.option("--chain", "is_chain", is_flag=True, help="The whole chain of receipts.")
@click.option(
    "--head",
    "heads",
    metavar="NUMBER:SHA256",
    multiple=True,
    help="A link that a copy outside names, as a pack's manifest does (repeat).",
)
@click.option(
    "--public-key",
    type=click.Path(dir_okay=False, path_type=Path),
    help="PEM file of the keys that sign (default: KOMEK_VERIFY_KEY).",
)
@home_option
@json_option
def verify(
    run_id: str | None,
    is_chain: bool,
    heads: Sequence[str],
    public_key: Path | None,
    home: Path | None,
    as_json: bool,
) -> None:
    """Recompute a RUN and compare every table; or check every link of the --chain.

    In place of a RUN it takes the code on a paper, and says what that was made from.
    """
    if is_chain == (run_id is not None) or (heads and not is_chain):
        raise click.UsageError("it takes a RUN, or --chain, which may have --head")
    from komek import papers as of_papers  # noqa: PLC0415

    if run_id is not None and of_papers.is_code(run_id):
        origin = of_papers.resolve(home_at(home), run_id)
        show(asdict(origin), lambda _: of_papers.origin_lines(origin), as_json)
        return
    from komek.trust.audit import audit  # noqa: PLC0415
    from komek.trust.signatures import public_keys  # noqa: PLC0415
    from komek.trust.verify import verify as verified  # noqa: PLC0415

    at = home_at(home)
    if run_id is None:
        audited = audit(at, public_keys(public_key), map(parsed_head, heads))
        findings, notes = audited.findings, audited.notes
        told: dict[str, Any] = {"head": str(audited.head) if audited.head else None}
        about = "the chain of receipts"
        holds = f"every link holds up to {audited.head}"
    else:
        with (
            showing_progress(as_json) as progress,
            writer_lock(at, "komek verify", progress.say),
        ):
            run = verified(at, run_id, progress.say, public_key)
        findings, notes = run.findings, run.notes
        told = {"run_id": run_id}
        about, holds = f"run {run_id}", "every input and every table is what it was"
    if as_json:
        told |= {"findings": findings, "notes": notes}
        click.echo(json.dumps(told))
    else:
        for line in (*findings, *(f"note: {note}" for note in notes)):
            click.echo(line)
    if findings:
        several = listed(findings, "; ")
        raise StoppedError(f"{about} is not what it was: {several}")
    if not as_json:
        click.echo(f"{about}: {holds}")


@click.command()
@click.option("--as-of", type=Day(), required=True, help="The day to decide for.")
@click.option("--policy", "policies", metavar="NAME=VALUE", multiple=True)
@click.option("--parameter", "parameters", metavar="NAME=VALUE", multiple=True)
@click.option("--against", metavar="RUN", help="A filed run (default: the law today).")
@home_option
@json_option
def simulate(
    as_of: date,
    policies: Sequence[str],
    parameters: Sequence[str],
    against: str | None,
    home: Path | None,
    as_json: bool,
) -> None:
    """Show what other readings or figures of the law would change; file nothing."""
    from komek.simulate import render, what_if  # noqa: PLC0415
    from komek.simulate.parameters import parameter_values  # noqa: PLC0415

    overrides, values = policy_overrides(policies), parameter_values(parameters)
    with showing_progress(as_json) as progress:
        found = what_if.simulate(
            home_at(home), as_of, overrides, values, against, progress.say
        )
    show(found, render, as_json)
