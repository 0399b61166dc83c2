"""Change the SQL of the law, one small thing at a time, and see what the tests catch.

Every model in models/law is mutated as dbt compiled it for its unit tests: a comparison
or a bound moved by a hair, a condition turned or dropped, `and` for `or`, an order, an
extreme, a number or a join changed. A mutant is caught if a unit test of its model then
gets other rows than it expects, or an error; invalid if DuckDB cannot read it. One that
survives changes nothing that a test looks at: a test is missing, or the change makes no
difference in law. Usage::

    python dev/mutate.py [MODEL ...]

prints a table, and every survivor with its line. It measures; it does not fail.
"""

import argparse
import itertools
import json
import re
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from komek.base import places
from komek.base.places import Home
from komek.landing.land import land
from komek.runs import build
from komek.runs.invoked import invoke
from komek.runs.layout import begin
from komek.runs.run import Request

# dbt reads the columns of what a model reads from a run; any run has them.
DROP = places.PROJECT / "tests" / "golden" / "drop"
DAY = date(2020, 4, 20)
# How many characters of a line a survivor is shown with.
SHOWN = 100

_TOKEN = re.compile(
    r"(?P<blank>\s+|--[^\n]*)"
    r"|'(?:[^']|'')*'|\"[^\"]*\""
    r"|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*|\d+(?:\.\d+)?"
    r"|<>|<=|>=|!=|\|\||->|::|.",
    re.DOTALL,
)
_FIXTURE = re.compile(r"(__dbt__cte__\w+) as \(")
_ACTUAL = re.compile(
    r"dbt_internal_unit_test_actual as \(\s*select\s+"
    r"(?P<columns>.*?),\s*'actual' as \"actual_or_expected\"\s*from \(",
    re.DOTALL,
)
_EXPECTED = re.compile(
    r"dbt_internal_unit_test_expected as \(\s*select\s+.*?,\s*"
    r"'expected' as \"actual_or_expected\"\s*from \((?P<rows>.*)"
    r"\) _dbt_internal_unit_test_expected",
    re.DOTALL,
)
_END = ") _dbt_internal_unit_test_actual"

_REPLACED = {
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "=": "<>",
    "<>": "=",
    "and": "or",
    "or": "and",
    "asc": "desc",
    "desc": "asc",
    "min": "max",
    "max": "min",
    "greatest": "least",
    "least": "greatest",
}
_CONDITION_OF = {"where", "on", "when", "having"}
_CONDITION_ENDS = {
    *_CONDITION_OF,
    *("then", "else", "end", "as", "group", "order", "union", "qualify", "select"),
    *("left", "inner", "cross", "full", "join", "from", ",", ";"),
}
_NOT_AVAILABLE = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.ParserException,
)


@dataclass(frozen=True)
class Token:
    """A word of SQL: its text, where it begins, and how deep in parentheses."""

    text: str
    start: int
    depth: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)

    @property
    def word(self) -> str:
        """It in lower case: a keyword, where it is one."""
        return self.text.lower()


@dataclass(frozen=True)
class Mutant:
    """A change of a model's SQL: what stands where from `start` to `end`."""

    start: int
    end: int
    text: str
    what: str

    def of(self, sql: str) -> str:
        """Return the SQL so changed."""
        return sql[: self.start] + self.text + sql[self.end :]


@dataclass(frozen=True)
class UnitTest:
    """A unit test that lies in DuckDB: where its inputs are, and what it expects."""

    schema: str
    columns: str
    expected: Counter[str]


@dataclass(frozen=True)
class Found:
    """What became of the mutants of a model."""

    model: str
    caught: int
    invalid: int
    survived: Sequence[str]

    @property
    def mutants(self) -> int:
        """How many were made that DuckDB could read."""
        return self.caught + len(self.survived)


def compiled(folder: Path) -> dict[str, dict[str, str]]:
    """Return the SQL of the unit tests of the law, by model and test.

    Args:
        folder: where to build the run that dbt reads the columns from.
    """
    home = Home(folder / "home")
    land(home, DROP, until=DAY)
    run = begin(home, Request(DAY, DAY, {}))
    for layer in ("staging", "facts", "law"):
        build.layer(run, layer, docs=False)
    selected = "test_type:unit,path:models/law"
    command = ["test", "--select", selected]
    invoke(run, "unit_tests", command, writes_json=True)
    artifacts = run.folder / "dbt"
    manifest = json.loads((artifacts / "manifest.json").read_text(encoding="utf-8"))
    written = {
        path.stem: path
        for path in artifacts.glob("run/*/models/law/unit_tests/**/*.sql")
    }
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for test in manifest["unit_tests"].values():
        if test["name"] in written:
            sql = written[test["name"]].read_text(encoding="utf-8")
            found[test["model"]][test["name"]] = sql
    return dict(found)


# What a mutant is


def tokens(sql: str) -> list[Token]:
    """Return the tokens of SQL without blanks and comments."""
    found, depth = [], 0
    for match in _TOKEN.finditer(sql):
        if match["blank"]:
            continue
        depth -= match[0] == ")"
        found.append(Token(match[0], match.start(), depth))
        depth += match[0] == "("
    return found


def mutants(sql: str, columns: set[str]) -> Iterator[Mutant]:
    """Yield every mutant of a model's SQL that could show in the columns it gives."""
    found = tokens(sql)
    bounds = _ands_of_between(found)
    skipped = {*bounds, *_unread(found, columns)}
    for at, token in enumerate(found):
        if at in skipped:
            continue
        yield from _changed(found, at)
        if token.word == "between":
            yield from _opened(found, at, bounds)
        if token.word in {"and", "or"}:
            yield _dropped(found, at, bounds, forward=True)
            if _is_first(found, at, bounds):
                yield _dropped(found, at, bounds, forward=False)
        if token.word in _CONDITION_OF:
            yield from _only_condition(found, at, bounds)


def _changed(found: Sequence[Token], at: int) -> Iterator[Mutant]:
    """Yield the mutants that put another word for one, or two."""
    token = found[at]
    before, after, later = (_word(found, at + step) for step in (-1, 1, 2))
    if token.word in _REPLACED:
        yield _replace(token, token, _REPLACED[token.word])
    elif token.word == "left" and after == "join":
        yield _replace(token, token, "inner")
    elif token.word == "inner" and after == "join":
        yield _replace(token, token, "left")
    elif token.word == "is" and after == "null":
        yield _replace(token, found[at + 1], "is not null")
    elif token.word == "is" and (after, later) == ("not", "null"):
        yield _replace(token, found[at + 2], "is null")
    elif token.word == "not" and before != "is":
        yield _replace(token, token, "")
    elif token.text.isdigit() and not _is_idle(found, at):
        yield _replace(token, token, str(int(token.text) + 1))
        yield _replace(token, token, str(int(token.text) - 1))


def _opened(
    found: Sequence[Token], at: int, bounds: Mapping[int, int]
) -> Iterator[Mutant]:
    """Yield `between` without its first, and without its last value."""
    (middle,) = (one for one, other in bounds.items() if other == at)
    value = found[at - 1]
    if re.fullmatch(r"[a-z_][\w.]*", value.word):
        joined = f"and {value.text}"
        yield _both(found, at, middle, ">", f"{joined} <=", "first value left out")
        yield _both(found, at, middle, ">=", f"{joined} <", "last value left out")


def _both(
    found: Sequence[Token], at: int, middle: int, low: str, high: str, what: str
) -> Mutant:
    between = "".join(
        f" {token.text}" if token.text not in ".,()" else token.text
        for token in found[at + 1 : middle]
    )
    text = f"{low}{between} {high}"
    return Mutant(found[at].start, found[middle].end, text, f"between: {what}")


def _dropped(
    found: Sequence[Token], at: int, bounds: Mapping[int, int], *, forward: bool
) -> Mutant:
    """Drop the condition after an `and` or `or`, or the one before it."""
    if forward:
        first, last = at, _until(found, at, 1, bounds) - 1
        shown = found[at + 1 : last + 1]
    else:
        first, last = _until(found, at, -1, bounds) + 1, at
        shown = found[first:at]
    what = " ".join(token.text for token in shown)
    return Mutant(found[first].start, found[last].end, "", f"dropped: {what}")


def _only_condition(
    found: Sequence[Token], at: int, bounds: Mapping[int, int]
) -> Iterator[Mutant]:
    """Yield a condition that stands alone as always so, or in a case as never so."""
    end = _until(found, at, 1, bounds)
    if end == at + 1 or _word(found, end) in {"and", "or"}:
        return
    text = "false" if found[at].word == "when" else "true"
    if _word(found, at + 1) != text:
        yield _replace(found[at + 1], found[end - 1], text)


def _until(
    found: Sequence[Token], at: int, step: int, bounds: Mapping[int, int]
) -> int:
    """Return where the condition beside a token ends: the token that is not its own."""
    depth = found[at].depth
    place = at + step
    nested = 0
    while 0 <= place < len(found):
        token = found[place]
        if token.word in {"case", "end"} and token.depth == depth:
            nested += step if token.word == "case" else -step
            if nested < 0:
                return place
        elif nested == 0 and (
            token.depth < depth
            or (token.depth == depth and token.word in _CONDITION_ENDS)
            or (
                token.depth == depth
                and token.word in {"and", "or"}
                and place not in bounds
            )
        ):
            return place
        # A closing parenthesis is as deep as its opening one: the condition's own.
        if token.text == ("(" if step < 0 else ")") and token.depth < depth:
            return place
        place += step
    return place


def _is_first(found: Sequence[Token], at: int, bounds: Mapping[int, int]) -> bool:
    start = _until(found, at, -1, bounds)
    return _word(found, start) not in {"and", "or"}


def _ands_of_between(found: Sequence[Token]) -> dict[int, int]:
    """Return the place of every `and` that belongs to a `between`, and of that."""
    bounds: dict[int, int] = {}
    open_ones: list[int] = []
    for at, token in enumerate(found):
        if token.word == "between":
            open_ones.append(at)
        elif (
            token.word == "and"
            and open_ones
            and found[open_ones[-1]].depth == token.depth
        ):
            bounds[at] = open_ones.pop()
    return bounds


def _unread(found: Sequence[Token], columns: set[str]) -> Iterator[int]:
    """Yield the places of each `case` whose value nothing reads (a macro wrote it)."""
    read = Counter(token.word.rsplit(".", 1)[-1] for token in found)
    cases = []
    for at, token in enumerate(found):
        if token.word == "case":
            cases.append(at)
        elif token.word == "end":
            first, name = cases.pop(), _word(found, at + 2)
            named = _word(found, at + 1) == "as"
            if named and read[name] == 1 and name not in columns:
                yield from range(first, at)


def _is_idle(found: Sequence[Token], at: int) -> bool:
    """Whether a number says nothing: a type's size, or what `exists` selects."""
    opening = _word(found, at - 2) if _word(found, at - 1) == "(" else ""
    scale = _word(found, at - 4) if _word(found, at - 1) == "," else ""
    types = {"decimal", "varchar", "string"}
    return opening in types or scale in types or _word(found, at - 1) == "select"


def _replace(first: Token, last: Token, text: str) -> Mutant:
    return Mutant(first.start, last.end, text, f"-> {text or 'nothing'}")


def _word(found: Sequence[Token], at: int) -> str:
    return found[at].word if 0 <= at < len(found) else ""


# What becomes of a mutant


def mutate(model: str, tests: Mapping[str, str]) -> Found:
    """Run all mutants of a model against its unit tests.

    Raises:
        ValueError: its tests do not all have the same SQL of it, or one fails as it is.
    """
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set TimeZone = 'Asia/Almaty'")
        parts = {name: _parts(sql) for name, sql in tests.items()}
        bodies = {body for _, body, _, _ in parts.values()}
        if len(bodies) != 1:
            raise ValueError(f"{model}: dbt compiled it differently for its tests")
        (body,) = bodies
        laid = [
            _lay(connection, f"test_{number}", fixtures, columns, expected)
            for number, (fixtures, _, columns, expected) in enumerate(parts.values())
        ]
        for name, test in zip(parts, laid, strict=True):
            if _outcome(connection, body, [test]) != "survived":
                raise ValueError(f"{name} does not pass as it is")
        outcomes: Counter[str] = Counter()
        survived = []
        connection.execute(f"set schema = '{laid[0].schema}'")
        given = {row[0] for row in connection.execute(f"describe {body}").fetchall()}
        for mutant in mutants(body, given):
            outcome = _outcome(connection, mutant.of(body), laid)
            outcomes[outcome] += 1
            if outcome == "survived":
                survived.append(_said(model, body, mutant))
    return Found(model, outcomes["caught"], outcomes["invalid"], survived)


def _parts(sql: str) -> tuple[str, str, str, str]:
    """Split a unit test: its inputs, the model's SQL, the columns, the rows wanted."""
    actual, expected = _ACTUAL.search(sql), _EXPECTED.search(sql)
    if not actual or not expected:
        raise ValueError("not the SQL of a unit test")
    text = sql[actual.end() : sql.index(_END)]
    opening = text.index("(", list(_FIXTURE.finditer(text))[-1].start())
    found = tokens(text)
    closing = next(
        token
        for token in found
        if token.text == ")" and token.start > opening and token.depth == 0
    )
    body = text[closing.end :].strip()
    if body.startswith(","):
        body = f"with {body[1:].lstrip()}"
    return text[: closing.end], body, actual["columns"], expected["rows"]


def _lay(
    connection: duckdb.DuckDBPyConnection,
    schema: str,
    fixtures: str,
    columns: str,
    expected: str,
) -> UnitTest:
    """Put a test's inputs into tables, once for all mutants."""
    connection.execute(f"create schema {schema}")
    for name in _FIXTURE.findall(fixtures):
        connection.execute(
            f"create table {schema}.{name} as {fixtures} select * from {name}"
        )
    # A test that expects no rows selects none of the actual ones.
    rows = (
        []
        if "from dbt_internal_unit_test_actual" in expected
        else connection.execute(f"select {columns} from ({expected})").fetchall()
    )
    return UnitTest(schema, columns, Counter(map(repr, rows)))


def _outcome(
    connection: duckdb.DuckDBPyConnection, body: str, tests: Sequence[UnitTest]
) -> str:
    for test in tests:
        connection.execute(f"set schema = '{test.schema}'")
        try:
            rows = connection.execute(
                f"select {test.columns} from ({body}\n)"
            ).fetchall()
        except _NOT_AVAILABLE:
            return "invalid"
        except duckdb.Error:
            return "caught"
        if Counter(map(repr, rows)) != test.expected:
            return "caught"
    return "survived"


def _said(model: str, body: str, mutant: Mutant) -> str:
    """Say where a mutant is, what stands there, and what it puts instead."""
    start = body.rfind("\n", 0, mutant.start) + 1
    line = body[start:].split("\n", 1)[0]
    first = max(0, mutant.start - start - SHOWN // 2) if len(line) > SHOWN else 0
    old = " ".join(body[mutant.start : mutant.end].split())
    what = mutant.what if mutant.what[0] != "-" else f"{old} {mutant.what}"
    number = _line_number(model, body[:start].count("\n"), body)
    return f"{model}:{number}: {line[first : first + SHOWN].strip()}   [{what[:SHOWN]}]"


def _line_number(model: str, wanted: int, body: str) -> str:
    """Return the number in the model's file of a line as compiled.

    What a macro wrote is not there; `~` and the line before it say where it is called.
    """
    source = places.DBT_PROJECT / "models" / "law" / f"{model}.sql"
    text = re.sub(
        r"{{ ref\('(\w+)'\) }}", r"__dbt__cte__\1", source.read_text(encoding="utf-8")
    )
    lines = [line.strip() for line in text.splitlines()]
    number, known = 0, False
    for line in body.split("\n")[: wanted + 1]:
        text = line.strip()
        # A short line, an `end` or a `)`, may stand anywhere.
        known = len(text) > 8 and text in lines[number:]
        if known:
            number = lines.index(text, number) + 1
    return f"{number}" if known else f"~{number}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Mutate, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", nargs="*", help="a model of the law; all by default")
    wanted = set(parser.parse_args(arguments).model)
    with tempfile.TemporaryDirectory() as folder:
        tests = compiled(Path(folder))
    if unknown := wanted - set(tests):
        parser.error(f"no model with unit tests: {', '.join(sorted(unknown))}")
    chosen = sorted(wanted or tests)
    print(f"{'model':28}{'mutants':>9}{'caught':>9}{'survived':>10}{'invalid':>9}")
    found = []
    for model in chosen:
        one = mutate(model, tests[model])
        found.append(one)
        print(
            f"{model:28}{one.mutants:9}{one.caught:9}{len(one.survived):10}"
            f"{one.invalid:9}",
            flush=True,
        )
    total, caught = (
        sum(getattr(one, name) for one in found) for name in ("mutants", "caught")
    )
    invalid = sum(one.invalid for one in found)
    print(f"{'all':28}{total:9}{caught:9}{total - caught:10}{invalid:9}")
    print(f"caught: {100 * caught / max(total, 1):.1f} %")
    for line in itertools.chain.from_iterable(one.survived for one in found):
        print(f"  {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
