"""The key that signs the ledger, and the public keys that verify it.

PyNaCl is imported by whoever signs or verifies first: commands that do neither do not pay for it.
"""

from __future__ import annotations

import base64
import binascii
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from zen_agents.adapters.durable_file import replace_durably
from zen_agents.dataclass import dataclass
from zen_agents.errors import StoreError, UsageError
from zen_agents.model.entry import Checkpoint
from zen_agents.store.checkpoint import key_id, signed_text

#: In the state directory: the private key (32 bytes), and the public keys of this state, the newest last.
KEY, PUBLIC_KEYS = "audit.key", "audit.pub"

_KEY_BYTES = 32
_SIGNATURE_BYTES = 64
_MOST_TEXT_BYTES = 65_536
_ALGORITHM = "ed25519"


class AuditKey:
    """One private key, in memory."""

    def __init__(self, seed: bytes) -> None:
        """Raises StoreError if this Python cannot sign."""
        try:
            from nacl import bindings  # noqa: PLC0415  see above
        except (ImportError, OSError) as error:
            raise StoreError(
                f"the ledger is not signed, PyNaCl cannot be loaded: {error}; install zen-agents anew"
            ) from error
        self._sign = bindings.crypto_sign
        self.public, self._secret = bindings.crypto_sign_seed_keypair(seed)
        self.id = key_id(self.public)

    @classmethod
    def of(cls, state_dir: Path) -> AuditKey:
        """Read the key of a state, made if there is none. Raises StoreError if it cannot be, or if others can read it."""
        path = state_dir / KEY
        try:
            if not path.exists():
                replace_durably(path, os.urandom(_KEY_BYTES))
            return cls(_read_private(path))
        except OSError as error:
            raise StoreError(f"the ledger is not signed, {path} cannot be read: {error.strerror or error}") from error

    def checkpoint(self, seq: int, hash: str) -> Checkpoint:
        """Sign that the entry number `seq` has this hash."""
        signature = self._sign(signed_text(seq, hash), self._secret)[:_SIGNATURE_BYTES]
        return Checkpoint(seq, hash, self.id, signature.hex())

    def publish(self, state_dir: Path) -> None:
        """Put the public key beside the private one, behind those of earlier keys; raises StoreError."""
        path = state_dir / PUBLIC_KEYS
        try:
            known = PublicKeys.read(path) if path.exists() else PublicKeys({})
            if self.id not in known.by_id:
                replace_durably(path, PublicKeys({**known.by_id, self.id: self.public}).text.encode())
        except (OSError, UsageError) as error:
            raise StoreError(f"{path} does not name the key {self.id} that signs: {error}") from error


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """Keys whose signatures count, by id; one line each in a file, `#` begins a comment."""

    by_id: Mapping[str, bytes]

    @classmethod
    def read(cls, path: Path) -> PublicKeys:
        """Read a file of public keys; raises UsageError if there is none or it is another file."""
        try:
            with path.open("rb") as file:
                text = file.read(_MOST_TEXT_BYTES).decode("ascii")
            keys = [_public_key(line) for line in _lines(text)]
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}") from error
        except (ValueError, binascii.Error):
            keys = []
        if not keys:
            raise UsageError(f"{path} holds no public key; on the host of the ledger: zen-agents audit key > {path.name}")
        return cls({key_id(key): key for key in keys})

    @property
    def text(self) -> str:
        """The keys as `read` takes them."""
        return "".join(f"{_ALGORITHM} {base64.b64encode(key).decode()}\n" for key in self.by_id.values())

    def verifies(self, checkpoint: Checkpoint) -> bool:
        """Tell whether the signature of a checkpoint was made with one of these keys."""
        from nacl import bindings, exceptions  # noqa: PLC0415  see above

        key = self.by_id.get(checkpoint.key)
        try:
            signature = bytes.fromhex(checkpoint.signature)
            # libsodium wants the signature in front of what it is over.
            whole = signature + signed_text(checkpoint.seq, checkpoint.hash)
            return key is not None and len(signature) == _SIGNATURE_BYTES and bool(bindings.crypto_sign_open(whole, key))
        except (ValueError, exceptions.CryptoError):
            # What is no signature of 64 bytes in hex verifies nothing.
            return False


def _read_private(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid not in (0, os.geteuid()) or found.st_nlink != 1:
            raise StoreError(f"the ledger is not signed: {path} is not a file of this account alone; move it away")
        if found.st_mode & 0o077:
            mode = stat.S_IMODE(found.st_mode)
            raise StoreError(
                f"the ledger is not signed: {path} has mode {mode:04o}, others may have read it; move it away, "
                "and the next start makes another one"
            )
        seed = os.read(descriptor, _KEY_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(seed) != _KEY_BYTES:
        raise StoreError(f"the ledger is not signed: {path} is not a key of {_KEY_BYTES} bytes; move it away")
    return seed


def _lines(text: str) -> Iterable[str]:
    return filter(None, (line.partition("#")[0].strip() for line in text.splitlines()))


def _public_key(line: str) -> bytes:
    algorithm, _, encoded = line.partition(" ")
    key = base64.b64decode(encoded, validate=True)
    if algorithm != _ALGORITHM or len(key) != _KEY_BYTES:
        raise ValueError(line)
    return key
