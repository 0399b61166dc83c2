"""What a random nation is drawn from: its people, days, places, amounts."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from random import Random

from registry_rules import check_digit

PEOPLE = 400
GHOSTS = 25
# Days on which something begins or ends: acts, windows, months, leap days.
TURNING_POINTS = tuple(
    date.fromisoformat(day)
    for day in (
        *("2019-12-31", "2020-01-31", "2020-02-14", "2020-02-15", "2020-02-16"),
        *("2020-02-17", "2020-02-29", "2020-03-15", "2020-03-16", "2020-03-17"),
        *("2020-03-31", "2020-04-01", "2020-04-02", "2020-04-05", "2020-04-14"),
        *("2020-04-15", "2020-04-16", "2020-04-19", "2020-04-20", "2020-04-21"),
        *("2020-04-30", "2020-05-01", "2020-05-02", "2020-05-10", "2020-05-11"),
        *("2020-05-12", "2020-06-30", "2021-02-28"),
    )
)
UNITS = (
    *("110000000", "110100000", "111010000", "190000000", "195000000"),
    *("610000000", "612000000", "750000000", "751110000", "790000000"),
)
# In the classifier or not, none of these but the first is a code: nine digits.
UNKNOWN_UNITS = (
    *("999999999", "11000000x", "../../etc", "1100000٠0", "..0000000", "a/"),
    *("11000000", "1100000000"),
)

Row = dict[str, object]


class Chance:
    """Draws from one source of chance; the ghosts are in no register of people."""

    def __init__(self, random: Random) -> None:
        self.random = random
        iins = list(self._iins(PEOPLE + GHOSTS))
        self._people, self._ghosts = iins[:PEOPLE], iins[PEOPLE:]

    def _times(self, count: int, make: Callable[[int], Row]) -> list[Row]:
        return [make(number) for number in range(count)]

    def _iins(self, count: int) -> Iterator[str]:
        found: set[str] = set()
        while len(found) < count:
            digits = [self.random.randrange(10) for _ in range(11)]
            check = check_digit(digits)
            iin = "".join(map(str, [*digits, check]))
            if check is not None and iin not in found:
                found.add(iin)
                yield iin

    def _anyone(self) -> str:
        people = self._ghosts if self.random.random() < 0.04 else self._people
        return self.random.choice(people)

    def _one(self, *values: object) -> object:
        return self.random.choice(values)

    def _day(self) -> date:
        if self.random.random() < 0.7:
            near = timedelta(self.random.choice((0, 0, 0, -1, 1)))
            return self.random.choice(TURNING_POINTS) + near
        return date(2020, 1, 1) + timedelta(self.random.randrange(-200, 240))

    def _perhaps(self, *days: date | None) -> date | None:
        """Return nothing or one of the days (without any: a day)."""
        return self.random.choice((None, *(days or (self._day(),))))

    def _after(self, day: date, *days: int) -> date:
        return day + timedelta(self.random.choice(days))

    def _end(self, start: date) -> date:
        return max(start, self._day())

    def _tenge(self, low: int, high: int) -> str:
        cents = self.random.randrange(100)
        return f"{self.random.randrange(low, high)}.{cents:02}"

    def _text(self, value: str) -> str | None:
        return value if self.random.random() > 0.03 else None

    def _in_the_emergency(self) -> date:
        return date(2020, 4, 1) + timedelta(self.random.randrange(-1, 41))
