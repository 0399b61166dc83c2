"""The sets of a random nation: what they cost, who supplies them, where they went."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from random_chance import Chance, Row

# Whether there is a set at all hangs on these: regions that pay, from a day on.
SURE_NORMS = (
    *(("110000000", "in_kind", "2020-03-01"), ("190000000", "in_kind", "2020-04-15")),
    *(("610000000", "cash", "2020-03-01"), ("750000000", "in_kind", "2020-03-01")),
)
NORM_REGIONS = ("110000000", "190000000", "610000000", "750000000", "..0000000")
# Valid by the first weights, by the second, by neither; zeros; too short.
BINS = (
    *["100000000001", "123456789013"] * 3,
    *("901341176390", "123456789012", "000000000000", "12345678901"),
)
# What may become of a set: one delivery after another.
STORIES = (
    *[("delivered",)] * 4,
    ("failed",),
    ("returned",),
    ("failed", "delivered"),
    ("delivered", "failed"),
    ("delivered", "returned"),
    ("delivered", "delivered"),
    ("returned", "delivered"),
    ("delivered", "returned", "delivered"),
    ("delivered", "delivered", "returned", "delivered"),
)
CONTRACT_REGIONS = (*NORM_REGIONS, "790000000", "999000000")


class Sets(Chance):
    """What local executive bodies, suppliers and banks have on record."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        self._contracts = [self._supply_contract(number) for number in range(40)]

    def _food_set_norm(self, number: int) -> Row:
        if number < len(SURE_NORMS):
            region, mode, decided_on = SURE_NORMS[number]
            return {
                "norm_id": f"N{number}",
                "kato": region,
                "mode": mode,
                "set_cost": self._one("5556.00", "6000.5"),
                "valid_from": "2020-03-01",
                "decided_on": decided_on,
                "act_ref": "act",
            }
        start = self._day()
        anywhere = self.random.random() < 0.1
        return {
            "norm_id": f"N{number}",
            "kato": self._one(*(CONTRACT_REGIONS if anywhere else NORM_REGIONS)),
            "mode": self._one("in_kind", "in_kind", "cash"),
            "set_cost": self._one("5302", "5556.00", "5555.99", "5301.99", "6000.5"),
            "valid_from": start,
            "valid_to": self._perhaps(self._end(start)),
            "decided_on": self._day(),
            "act_ref": "act",
        }

    def _supply_contract(self, number: int) -> Row:
        start = self._day()
        return {
            "contract_id": f"C{number}",
            "kato": self._one(*CONTRACT_REGIONS),
            "supplier_bin": self._one(*BINS),
            "signed_on": self._day(),
            "valid_from": start,
            "valid_to": self._one(self._end(start), date(2020, 12, 31)),
            "set_cost": self._one("5556", "6000.5", "5555.99"),
            "sets_total": self._one(0, 1, 2, 5, 10, 20),
        }

    def _delivery(self, number: int) -> Row:
        months = ("2020-03-01", "2020-04-01", "2020-05-01", "2020-03-15", "2020-04-02")
        contract = self.random.choice(self._contracts)["contract_id"]
        return {
            "delivery_id": f"D{number}",
            "iin": self._anyone(),
            "list_month": self._one(*months),
            "mode": self._one("in_kind", "cash"),
            "contract_id": self._one(None, contract),
            "status": self._one("delivered", "delivered", "failed", "returned"),
            "delivered_on": self._day(),
            "amount": "5556",
        }

    def _story(self, number: int, iin: str | None = None) -> Iterator[Row]:
        """Yield what became of a set, also after its month and after a death."""
        iin = iin or self._anyone()
        month = self._one("2020-04-01", "2020-04-01", "2020-05-01")
        day = date(2020, 4, 8) + timedelta(self.random.randrange(20))
        for step, status in enumerate(self.random.choice(STORIES)):
            contract = self.random.choice(self._contracts)["contract_id"]
            yield {
                **self._delivery(number),
                "delivery_id": f"S{number}.{step}",
                "iin": iin,
                "list_month": month,
                "contract_id": self._one(None, contract, contract, "?"),
                "status": status,
                "delivered_on": day,
                "amount": self._tenge(5_302, 6_001),
            }
            day = self._after(day, 0, 1, 2, 12)

    def _bank_account(self, _number: int) -> Row:
        good = self._iban(0)
        spoilt = (self._iban(1), good.lower(), good[:-1], "KZ", f" {good}")
        return {
            "iin": self._anyone(),
            "iban": good if self.random.random() < 0.5 else self._one(*spoilt),
            "confirmed_on": self._day(),
        }

    def _iban(self, off: int) -> str:
        """Return an IBAN whose check digits are off by some: 0 of a valid one."""
        bank = "".join(self.random.choices("0123456789", k=3))
        account = bank + "".join(self.random.choices("0123456789ABCXYZ", k=13))
        digits = "".join(str(int(character, 36)) for character in account + "KZ00")
        return f"KZ{(98 - int(digits) % 97 + off) % 98:02}{account}"
