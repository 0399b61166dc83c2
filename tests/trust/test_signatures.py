"""Who may write the home and has no key: what they do to the chain is noticed."""

import base64
import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from hand_filed import as_it_was, hand_made, publish_filed
from komek.base.errors import StoppedError, UsageError
from komek.base.places import Home
from komek.cli import cli
from komek.publishing.packs import PACK_MANIFEST
from komek.trust.audit import audit, signature_complaints
from komek.trust.chain import broken_links, chain_path, read_chain, receipt_path
from komek.trust.receipts import write_receipt
from komek.trust.signatures import (
    SIGNING_KEY,
    VERIFY_KEY,
    make_pair,
    public_keys,
    signing_key,
)
from komek.trust.standing import standing, standing_lines
from komek.trust.verify import check

RUNS = ("r1", "r2", "r3")


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SIGNING_KEY, raising=False)
    monkeypatch.delenv(VERIFY_KEY, raising=False)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def new_pair(private: Path) -> tuple[Path, Path]:
    """Make a private key's file, and that of its public key."""
    public = private.with_suffix(".pub")
    public.write_text(make_pair(private))
    return private, public


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return new_pair(tmp_path_factory.mktemp("keys") / "ours")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, pair: tuple[Path, Path]) -> Home:
    """Three published runs, every link signed."""
    home = Home(tmp_path_factory.mktemp("signed") / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SIGNING_KEY, str(pair[0]))
        for run_id in RUNS:
            publish_filed(home, hand_made(home, run_id))
    return home


@pytest.fixture
def signed(built: Home, home: Home) -> Home:
    shutil.copytree(built.root, home.root, symlinks=True)
    return home


def found(home: Home, public: Path) -> list[str]:
    return audit(home, public_keys(public)).findings


def rebuild(home: Home, *run_ids: str) -> None:
    """Write receipts, chain and publications anew, so that all of it fits."""
    shutil.rmtree(home.publications)
    home.current.unlink()
    chain_path(home).unlink()
    for run_id in run_ids:
        receipt_path(home, run_id).unlink()
    for run_id in run_ids:
        publish_filed(home, as_it_was(home, run_id))


def edit_table(home: Home, run_id: str) -> None:
    with duckdb.connect(home.run_file(run_id)) as run:
        run.execute("update marts.delivery_plan set iban = 'KZ'")


# Signing


def test_every_link_is_signed_and_holds(signed: Home, pair: tuple[Path, Path]) -> None:
    links = read_chain(signed).links
    assert len(links) == 2 * len(RUNS)
    (name,) = public_keys(pair[1])
    assert {link.signed_by for link in links} == {name}
    assert found(signed, pair[1]) == []
    assert audit(signed, public_keys(pair[1])).signed == "signed"
    for run_id in RUNS:
        checked = check(signed, run_id, public_keys(pair[1]))
        assert (checked.findings, checked.notes) == ([], [])


def test_an_unsigned_chain_is_said_to_be_in_one_word(home: Home) -> None:
    publish_filed(home, hand_made(home, "r1"))
    assert audit(home, {}).findings == []
    assert audit(home, {}).notes == ["unsigned"]
    assert check(home, "r1").notes == ["unsigned"]
    (line,) = standing_lines(standing(home))
    assert line.startswith("Chain of receipts: unsigned, ends in 2:")


def test_where_a_public_key_is_given_unsigned_is_a_finding(
    home: Home, pair: tuple[Path, Path]
) -> None:
    publish_filed(home, hand_made(home, "r1"))
    assert found(home, pair[1]) == ["the chain of receipts is unsigned"]
    (line,) = check(home, "r1", public_keys(pair[1])).findings
    assert line.startswith("unsigned: ")


def test_a_signature_is_no_part_of_what_the_chain_says(
    home: Home, tmp_path: Path, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = hand_made(home, "r1")
    write_receipt(home, run, {})
    unsigned = read_chain(home).links
    chain_path(home).unlink()
    monkeypatch.setenv(SIGNING_KEY, str(pair[0]))
    write_receipt(home, run, {})
    (link,) = read_chain(home).links
    assert link.signature
    assert [link.sha256] == [link.sha256 for link in unsigned]


def test_any_flipped_byte_of_a_signature_is_noticed(
    signed: Home, pair: tuple[Path, Path]
) -> None:
    """Of all else the chain notices it without a key."""
    keys = public_keys(pair[1])
    text = chain_path(signed).read_bytes()
    (link, *_) = read_chain(signed).links
    for part in (link.signature, link.signed_by):
        start = text.index(part.encode())
        for place in range(start, start + len(part)):
            flipped = text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :]
            chain_path(signed).write_bytes(flipped)
            assert signature_complaints(read_chain(signed), keys), place


@pytest.mark.parametrize("signature", ["1", '""', "null", '"é"', '"====" '])
def test_a_signature_of_another_kind_is_no_signature(
    signed: Home, pair: tuple[Path, Path], signature: str
) -> None:
    lines = chain_path(signed).read_text().splitlines(keepends=True)
    link = json.loads(lines[0])
    edited = lines[0].replace(json.dumps(link["signature"]), signature)
    assert edited != lines[0]
    chain_path(signed).write_text("".join([edited, *lines[1:]]))
    assert any("link 1 of the chain" in line for line in found(signed, pair[1]))


# The forger, who can write everything in the home


@pytest.mark.parametrize("signs", [False, True], ids=["unsigned", "own key"])
@pytest.mark.parametrize("run_id", RUNS)
def test_a_forger_who_rebuilds_all_is_found_with_the_public_key_alone(
    signed: Home,
    pair: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run_id: str,
    signs: bool,
) -> None:
    keys = public_keys(pair[1])
    edit_table(signed, run_id)
    if signs:
        monkeypatch.setenv(SIGNING_KEY, str(new_pair(tmp_path / "theirs")[0]))
    rebuild(signed, *RUNS)
    monkeypatch.delenv(SIGNING_KEY, raising=False)
    # Without the key it fits.
    assert check(signed, run_id).findings == []
    assert audit(signed, {}).findings == []

    (line,) = check(signed, run_id, keys).findings
    assert line.startswith("unsigned: ")
    assert audit(signed, keys).findings == [
        "links 1 to 6 of the chain are signed with another key"
        if signs
        else "the chain of receipts is unsigned"
    ]


def test_a_forger_who_goes_on_from_true_links_is_found(
    signed: Home, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    """A later link says what a file holds: one without a signature says nothing."""
    edit_table(signed, "r2")
    receipt_path(signed, "r2").unlink()
    lines = chain_path(signed).read_bytes().splitlines(keepends=True)
    chain_path(signed).write_bytes(b"".join(lines[:2]))
    publish_filed(signed, as_it_was(signed, "r2"))
    keys = public_keys(pair[1])

    assert any(
        line.startswith("unsigned: ") for line in check(signed, "r2", keys).findings
    )
    assert "links 3 to 4 of the chain are unsigned" in found(signed, pair[1])
    # What was signed before stands.
    assert not any(
        line.startswith("unsigned") for line in check(signed, "r1", keys).findings
    )
    said = "links 3 to 4 of the chain are unsigned, those before are signed"
    assert said in audit(signed, {}).findings


@pytest.mark.parametrize(
    ("signs", "said"),
    [
        (False, "link 7 of the chain is unsigned, those before are signed"),
        (True, "link 7 of the chain is signed with another key than those before"),
    ],
)
def test_a_chain_that_goes_on_otherwise_is_said_without_any_key(
    signed: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    signs: bool,
    said: str,
) -> None:
    if signs:
        monkeypatch.setenv(SIGNING_KEY, str(new_pair(tmp_path / "theirs")[0]))
    write_receipt(signed, hand_made(signed, "r4"), {})
    monkeypatch.delenv(SIGNING_KEY, raising=False)

    assert audit(signed, {}).findings == [said]
    assert said in standing(signed)["chain"]["findings"]
    # It is no fault of the runs that were signed.
    checked = check(signed, "r3")
    assert (checked.findings, said in checked.notes) == ([], True)


def test_a_key_may_be_changed_where_both_are_known(
    signed: Home,
    pair: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    private, public = new_pair(tmp_path / "next")
    monkeypatch.setenv(SIGNING_KEY, str(private))
    publish_filed(signed, hand_made(signed, "r4"))
    both = tmp_path / "both.pub"
    both.write_text(pair[1].read_text() + public.read_text())

    assert found(signed, both) == []
    assert found(signed, pair[1]) == [
        "links 7 to 8 of the chain are signed with another key"
    ]
    assert found(signed, public) == [
        "links 1 to 6 of the chain are signed with another key"
    ]


# Who cuts the last links and erases their run


def outside_copy(home: Home) -> str:
    """Return the head that the last run's packs took out of the home."""
    manifest = next(home.published.glob(f"*/*/{PACK_MANIFEST}"))
    stated = json.loads(manifest.read_text())
    assert stated["run_id"] == "r3"
    return "{sequence}:{sha256}".format(**stated["chain_head"])


def cut(home: Home) -> None:
    """Take the links of r3 off the chain."""
    lines = chain_path(home).read_bytes().splitlines(keepends=True)
    chain_path(home).write_bytes(b"".join(lines[:4]))


def erase(home: Home) -> None:
    """Erase what r3 left: the publication before holds again."""
    folder = home.current.resolve()
    before = next(home.publications.glob("*-r2"))
    home.current.unlink()
    home.current.symlink_to(before.relative_to(home.warehouse))
    shutil.rmtree(folder)
    home.run_file("r3").unlink()
    shutil.rmtree(home.report("r3"))


def test_packs_and_publication_name_the_link_that_files_their_run(signed: Home) -> None:
    links = read_chain(signed).links
    for folder in signed.publications.iterdir():
        state = json.loads((folder / "publication.json").read_text())
        (filed,) = (
            link
            for link in links
            if any("receipt" in path for path in link.files)
            and link.run_id == state["run_id"]
        )
        named = {"sequence": filed.sequence, "sha256": filed.sha256}
        assert state["chain_head"] == named
        for manifest in (folder / "published").glob(f"*/*/{PACK_MANIFEST}"):
            assert json.loads(manifest.read_text())["chain_head"] == named


def test_who_cuts_the_chain_and_erases_the_run_is_found_by_a_copy_outside(
    signed: Home, pair: tuple[Path, Path]
) -> None:
    copy = outside_copy(signed)
    arguments = ["verify", "--chain", "--home", str(signed.root)]
    arguments += ["--public-key", str(pair[1])]
    held = CliRunner().invoke(cli, [*arguments, "--head", copy])
    assert held.exit_code == 0, held.exception

    cut(signed)
    erase(signed)

    # In the home alone nothing is left to show it; nor need the forger have a key.
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    ended = CliRunner().invoke(cli, [*arguments, "--head", copy])
    assert isinstance(ended.exception, StoppedError)
    assert f"the chain of receipts has no link {copy}" in str(ended.exception)


def test_who_cuts_the_chain_is_found_by_what_is_published(signed: Home) -> None:
    cut(signed)

    findings = audit(signed, {}).findings
    folder = f"warehouse/publications/{signed.current.resolve().name}"
    assert f"{folder}/ is in no chain" in findings
    loose = [line for line in findings if "which the chain of receipts" in line]
    packs = list(signed.current.glob(f"published/*/*/{PACK_MANIFEST}"))
    assert len(loose) == 1 + len(packs)
    assert all(line.startswith(folder) for line in loose)
    assert check(signed, "r2").findings == [
        line for line in findings if "no chain" in line or line in loose
    ]
    assert standing(signed)["chain"]["findings"] == findings
    assert f"  {loose[0]}" in standing_lines(standing(signed))


def test_a_cut_that_is_filled_up_is_found_by_the_packs(signed: Home) -> None:
    """Another link of the same number is another link."""
    cut(signed)
    publish_filed(signed, hand_made(signed, "r4"))

    loose = [line for line in audit(signed, {}).findings if "which the chain" in line]
    assert loose
    assert all("-r3/" in line for line in loose)


def test_the_whole_chain_is_held_against_every_file_it_names(signed: Home) -> None:
    kept = signed.run_file("r1").read_bytes()
    edit_table(signed, "r1")
    assert audit(signed, {}).findings == ["warehouse/runs/r1.duckdb is not what it was"]
    # No database is read for `status`.
    assert standing(signed)["chain"]["findings"] == []
    signed.run_file("r1").unlink()
    assert audit(signed, {}).findings == ["warehouse/runs/r1.duckdb is missing"]
    signed.run_file("r1").write_bytes(kept)
    state = signed.current / "publication.json"
    state.write_text(state.read_text().replace('"official": true', '"official": false'))
    named = state.resolve().relative_to(signed.root)
    assert standing(signed)["chain"]["findings"] == [f"{named} is not what it was"]


def test_a_link_that_names_another_runs_receipt_alone_is_no_traceback(
    signed: Home,
) -> None:
    from komek.trust.chain import add_link  # noqa: PLC0415

    add_link(signed, "r9", {"reports/r2/receipt.json": "0" * 64})
    assert "reports/r2/receipt.json is not the receipt that the chain holds" in (
        check(signed, "r2").findings
    )


# The command line


def test_verify_says_findings_and_notes_as_json(signed: Home) -> None:
    arguments = ["verify", "--chain", "--json", "--home", str(signed.root)]
    whole = CliRunner().invoke(cli, arguments)
    assert json.loads(whole.stdout) == {
        "head": str(read_chain(signed).head),
        "findings": [],
        "notes": ["signed, not checked: no public key is known"],
    }
    signed.run_file("r1").unlink()
    broken = CliRunner().invoke(cli, arguments)
    assert json.loads(broken.stdout)["findings"] == [
        "warehouse/runs/r1.duckdb is missing"
    ]
    assert isinstance(broken.exception, StoppedError)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["r1", "--chain"],
        ["r1", "--head", f"1:{'0' * 64}"],
        ["--chain", "--head", "1"],
        ["--chain", "--head", f"0:{'0' * 64}"],
        ["--chain", "--head", f"1:{'0' * 63}"],
    ],
)
def test_verify_called_otherwise_is_wrong_usage(
    home: Home, arguments: list[str]
) -> None:
    ended = CliRunner().invoke(cli, ["verify", *arguments, "--home", str(home.root)])
    assert ended.exit_code == 2 or isinstance(ended.exception, UsageError)


# Keys


def test_a_pair_is_made_by_command(tmp_path: Path) -> None:
    private = tmp_path / "signing.pem"
    made = CliRunner().invoke(cli, ["key", "--signing", str(private)])
    assert made.exit_code == 0
    assert made.output.startswith("-----BEGIN PUBLIC KEY-----\n")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    kept = private.read_bytes()
    again = CliRunner().invoke(cli, ["key", "--signing", str(private)])
    assert isinstance(again.exception, UsageError)
    assert private.read_bytes() == kept
    both = CliRunner().invoke(cli, ["key", "110000000", "--signing", "x"])
    assert both.exit_code == 2


def raw(private: Path) -> tuple[str, str]:
    """Return a pair in Base64: seed and public key."""
    key = serialization.load_pem_private_key(private.read_bytes(), None)
    return (
        base64.b64encode(key.private_bytes_raw()).decode(),
        base64.b64encode(key.public_key().public_bytes_raw()).decode(),
    )


def test_keys_may_be_given_as_base64(
    pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    seed, public = raw(pair[0])
    monkeypatch.setenv(SIGNING_KEY, str(pair[0]))
    from_file = signing_key()
    monkeypatch.setenv(SIGNING_KEY, seed)
    from_seed = signing_key()
    assert from_file
    assert from_seed
    assert from_seed.private_bytes_raw() == from_file.private_bytes_raw()
    # Whoever signs knows the public key, too.
    assert public_keys().keys() == public_keys(pair[1]).keys()
    monkeypatch.delenv(SIGNING_KEY)
    assert public_keys() == {}
    monkeypatch.setenv(VERIFY_KEY, public)
    assert public_keys().keys() == public_keys(pair[1]).keys()
    monkeypatch.setenv(VERIFY_KEY, str(pair[1]))
    assert public_keys().keys() == public_keys(pair[1]).keys()


def other_kind() -> bytes:
    return generate_private_key(SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.mark.parametrize("content", [None, b"", b"no key", other_kind()])
@pytest.mark.parametrize(
    ("variable", "read"), [(SIGNING_KEY, signing_key), (VERIFY_KEY, public_keys)]
)
def test_what_is_no_key_is_wrong_usage(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes | None,
    variable: str,
    read: Callable[[], object],
) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv(variable, str(file))

    with pytest.raises(UsageError, match=variable) as caught:
        read()

    assert "\n" not in str(caught.value)


def test_a_private_key_is_no_public_key(pair: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError, match="--public-key"):
        public_keys(pair[0])


def test_no_key_is_in_the_home(signed: Home, pair: tuple[Path, Path]) -> None:
    seed, _ = raw(pair[0])
    held = [path.read_bytes() for path in signed.root.rglob("*") if path.is_file()]
    assert held
    assert not any(seed.encode() in text for text in held)
    assert broken_links(signed) == []
