"""A region's payments as ISO 20022 pain.001.001.09, checked against its schema.

The creditor is whose account it is; where that is a parent or guardian of the recipient
(p29), the recipient is the ultimate creditor. Nothing in a message hangs on the clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files

from lxml import etree

from komek.base.errors import KomekError, printable
from komek.papers.payer import Payer

# So many payments a message, at most: banks bound the size of a file.
MOST = 5_000
_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_SCHEMA = "pain.001.001.09.xsd"
_NAME = 140
_CURRENCY = "KZT"


@dataclass(frozen=True)
class Person:
    """A party that is a person."""

    name: str
    iin: str


@dataclass(frozen=True)
class Payment:
    """What is paid to whom: `recipient` where the account is not their own."""

    iban: str
    owner: Person
    recipient: Person | None
    amount: Decimal


@dataclass(frozen=True)
class Batch:
    """What the messages of a region have in common.

    Attributes:
        payer: who pays.
        name: what the messages' names begin with, at most 28 letters.
        purpose: the wording of the payments' purpose.
        made: the day they are dated.
        pay_on: the day to pay on.
    """

    payer: Payer
    name: str
    purpose: str
    made: date
    pay_on: date


@dataclass(frozen=True)
class Message:
    """What a message adds up to."""

    number: int
    payments: int
    total: Decimal


def message(
    batch: Batch, number: int, payments: Sequence[Payment]
) -> tuple[Message, bytes]:
    """Return a message of some payments, `MOST` of them at most, and its bytes.

    Args:
        batch: what it has in common with the others.
        number: which it is, from 1 on.
        payments: its payments.

    Raises:
        KomekError: it does not hold to the schema, or to its sums.
    """
    total = sum((one.amount for one in payments), Decimal(0))
    root = _document(batch, number, payments, total)
    _check(root, len(payments), total)
    content = etree.tostring(
        root, xml_declaration=True, encoding="UTF-8", pretty_print=True
    )
    return Message(number, len(payments), total), bytes(content)


@cache
def _schema() -> etree.XMLSchema:
    schema = files("sepaxml").joinpath("schemas", _SCHEMA).read_bytes()
    return etree.XMLSchema(etree.fromstring(schema))


def _check(root: etree._Element, count: int, total: Decimal) -> None:
    """Hold a message against the schema, and its sums against its payments."""
    schema = _schema()
    if not schema.validate(root):
        fault = schema.error_log.last_error
        where = f"line {fault.line}" if fault is not None else "somewhere"
        raise KomekError(f"pain.001 does not hold to its schema: {where}")
    amounts = [
        Decimal(one.text or "0") for one in root.iter(f"{{{_NAMESPACE}}}InstdAmt")
    ]
    stated = [
        (
            one.findtext(f"{{{_NAMESPACE}}}NbOfTxs"),
            one.findtext(f"{{{_NAMESPACE}}}CtrlSum"),
        )
        for tag in ("GrpHdr", "PmtInf")
        for one in root.iter(f"{{{_NAMESPACE}}}{tag}")
    ]
    wanted = (str(count), f"{total:.2f}")
    if (len(amounts), sum(amounts)) != (count, total) or {*stated} != {wanted}:
        raise KomekError("pain.001 does not add up to its payments")


def _document(
    batch: Batch, number: int, payments: Sequence[Payment], total: Decimal
) -> etree._Element:
    name, payer = f"{batch.name}-{number:02}", batch.payer
    root = etree.Element(f"{{{_NAMESPACE}}}Document", nsmap={None: _NAMESPACE})
    transfer = _below(root, "CstmrCdtTrfInitn")
    head = _below(transfer, "GrpHdr")
    _text(head, "MsgId", name)
    _text(head, "CreDtTm", f"{batch.made.isoformat()}T00:00:00")
    _sums(head, payments, total)
    _organisation(_below(head, "InitgPty"), payer)
    body = _below(transfer, "PmtInf")
    _text(body, "PmtInfId", name)
    _text(body, "PmtMtd", "TRF")
    _sums(body, payments, total)
    _text(_below(body, "ReqdExctnDt"), "Dt", batch.pay_on.isoformat())
    _organisation(_below(body, "Dbtr"), payer)
    _account(body, "DbtrAcct", payer.iban)
    _text(_below(_below(body, "DbtrAgt"), "FinInstnId"), "BICFI", payer.bic)
    for place, payment in enumerate(payments, 1):
        _payment(body, payment, batch, f"{name}-{place}")
    return root


def _payment(body: etree._Element, payment: Payment, batch: Batch, name: str) -> None:
    payer = batch.payer
    one = _below(body, "CdtTrfTxInf")
    _text(_below(one, "PmtId"), "EndToEndId", name)
    amount = _text(_below(one, "Amt"), "InstdAmt", f"{payment.amount:.2f}")
    amount.set("Ccy", _CURRENCY)
    bank = _below(_below(one, "CdtrAgt"), "FinInstnId")
    # An IBAN has the bank's three digits in it; its BIC only where it was given.
    code = payment.iban[4:7]
    if code in payer.banks:
        _text(bank, "BICFI", payer.banks[code])
    else:
        _text(_below(bank, "ClrSysMmbId"), "MmbId", code)
    _person(_below(one, "Cdtr"), payment.owner)
    _account(one, "CdtrAcct", payment.iban)
    if payment.recipient is not None:
        _person(_below(one, "UltmtCdtr"), payment.recipient)
    _text(_below(one, "Purp"), "Prtry", payer.knp)
    said = _below(one, "RmtInf")
    _text(said, "Ustrd", batch.purpose)
    _text(said, "Ustrd", f"EKNP {payer.kod}{payer.kbe}{_CURRENCY}{payer.knp}")


def _sums(parent: etree._Element, payments: Sequence[Payment], total: Decimal) -> None:
    _text(parent, "NbOfTxs", str(len(payments)))
    _text(parent, "CtrlSum", f"{total:.2f}")


def _organisation(parent: etree._Element, payer: Payer) -> None:
    _text(parent, "Nm", payer.name)
    _identified(_below(_below(parent, "Id"), "OrgId"), payer.bin, "BIN")


def _person(parent: etree._Element, person: Person) -> None:
    _text(parent, "Nm", printable(person.name or "-", keep="")[:_NAME])
    _identified(_below(_below(parent, "Id"), "PrvtId"), person.iin, "IIN")


def _identified(parent: etree._Element, number: str, scheme: str) -> None:
    other = _below(parent, "Othr")
    _text(other, "Id", number)
    _text(_below(other, "SchmeNm"), "Prtry", scheme)


def _account(parent: etree._Element, tag: str, iban: str) -> None:
    _text(_below(_below(parent, tag), "Id"), "IBAN", iban)


def _below(parent: etree._Element, tag: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{_NAMESPACE}}}{tag}")


def _text(parent: etree._Element, tag: str, text: str) -> etree._Element:
    element = _below(parent, tag)
    element.text = text
    return element
