"""Signatures of the chain's links: Ed25519, with keys from the environment.

KOMEK_SIGNING_KEY is the private key that links are signed with, KOMEK_VERIFY_KEY the
public keys that they may be signed with. Each is the path of a PEM file (several public
keys may stand in one, after the key was changed), or the 32 bytes of one key in Base64.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from komek.base.errors import UsageError
from komek.base.files import new_file
from komek.base.settings import SIGNING_KEY, VERIFY_KEY, settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

# 32 bytes in Base64.
_BASE64 = re.compile(r"[A-Za-z0-9+/]{43}=")
_PEM = re.compile(rb"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----", re.DOTALL)

# Public keys by what links call them.
PublicKeys = Mapping[str, "Ed25519PublicKey"]


def sign(sha256: str) -> tuple[str, str] | None:
    """Sign the hash of a link; return the name of the key and the signature in Base64.

    None where there is no key to sign with.

    Raises:
        UsageError: KOMEK_SIGNING_KEY is no such key.
    """
    key = signing_key()
    if key is None:
        return None
    signature = base64.b64encode(key.sign(_message(sha256))).decode()
    return _name(key.public_key()), signature


def is_signed(sha256: str, signature: str, key: "Ed25519PublicKey") -> bool:
    """Say whether a signature is this key's, of this link's hash."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  (slow)

    try:
        key.verify(base64.b64decode(signature, validate=True), _message(sha256))
    except (InvalidSignature, ValueError):
        return False
    return True


def signing_key() -> "Ed25519PrivateKey | None":
    """Return the key that links are signed with, None where none is set.

    Raises:
        UsageError: KOMEK_SIGNING_KEY is no such key.
    """
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        load_pem_private_key,
    )

    given = settings().signing_key
    if not given:
        return None
    kind = ed25519.Ed25519PrivateKey
    try:
        if _BASE64.fullmatch(given):
            return kind.from_private_bytes(base64.b64decode(given))
        key = load_pem_private_key(Path(given).read_bytes(), password=None)
    except OSError as error:
        raise UsageError(f"cannot read {SIGNING_KEY}: {error.strerror}") from None
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, kind):
        raise UsageError(
            f"{SIGNING_KEY} is no Ed25519 private key: 32 bytes in Base64, or the path"
            " of a PEM file without a password"
        )
    return key


def public_keys(file: Path | None = None) -> PublicKeys:
    """Return the keys that links may be signed with; none where none is known.

    Args:
        file: a PEM file of public keys; without one, KOMEK_VERIFY_KEY says which they
            are, or else it is the one that links are signed with here.

    Raises:
        UsageError: what is given is no such key.
    """
    given = str(file) if file else settings().verify_key
    if given:
        keys = _read_public(given, f"--public-key {file}" if file else VERIFY_KEY)
    else:
        signing = signing_key()
        keys = [signing.public_key()] if signing else []
    return {_name(key): key for key in keys}


def make_pair(file: Path) -> str:
    """Write a new private key to a file of the owner's alone; return its public key.

    Both are PEM.

    Raises:
        UsageError: the file is there already.
        OSError: it cannot be written.
    """
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415

    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        with new_file(file) as opened:
            opened.write(private)
    except FileExistsError:
        raise UsageError(f"{file} is there already") from None
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return public.decode()


def _read_public(given: str, called: str) -> list["Ed25519PublicKey"]:
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        load_pem_public_key,
    )

    kind = ed25519.Ed25519PublicKey
    try:
        if _BASE64.fullmatch(given):
            return [kind.from_public_bytes(base64.b64decode(given))]
        blocks = [found[0] for found in _PEM.finditer(Path(given).read_bytes())]
        keys = [load_pem_public_key(block) for block in blocks]
    except OSError as error:
        raise UsageError(f"cannot read {called}: {error.strerror}") from None
    except ValueError:
        keys = []
    found = [key for key in keys if isinstance(key, kind)]
    if not found or len(found) < len(keys):
        raise UsageError(
            f"{called} is no Ed25519 public key: 32 bytes in Base64, or the path of a"
            " PEM file"
        )
    return found


def _message(sha256: str) -> bytes:
    return f"komek chain link {sha256}".encode()


def _name(key: "Ed25519PublicKey") -> str:
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]
