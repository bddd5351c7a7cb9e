"""Signed tokens by which one approval can be answered once, as a link will carry them (R30).

A token is `apr-ID.NONCE.SIGNATURE`. The signature is an HMAC-SHA256, under a key that never leaves the state directory, of
the approval's id, digest and end: whoever holds it can name no other question, and no other plan. It says nothing about who
holds it; the person who uses it has to be known, and allowed to approve, all the same.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import stat
from pathlib import Path

from zen_agents.adapters.durable_file import replace_durably
from zen_agents.errors import RefusedError, UsageError
from zen_agents.model.approval import Approval

_KEY_BYTES = 32
_KEY = "approval.key"
#: A token is shorter than this; whatever is longer is none.
_MOST_CHARS = 200


class ApprovalTokens:
    """Issues and verifies tokens; the key is made at the first one."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / _KEY

    def issue(self, asked: Approval) -> str:
        """Return a fresh token for an approval. Raises RefusedError if the key may be read by others, OSError."""
        nonce = _text(os.urandom(16))
        return f"{asked.id}.{nonce}.{_text(self._sign(asked, nonce))}"

    def verify(self, token: str, asked: Approval) -> str:
        """Return the name under which a token is spent (SHA-256, hex). RefusedError if it was not issued for this."""
        id, nonce, signature = _parts(token)
        if id != asked.id or not hmac.compare_digest(signature.encode(), _text(self._sign(asked, nonce)).encode()):
            raise RefusedError("the token is not valid for this approval; nothing was run", reason="approval_denied")
        return hashlib.sha256(token.encode()).hexdigest()

    def _sign(self, asked: Approval, nonce: str) -> bytes:
        text = "\n".join((asked.id, asked.digest, repr(asked.expires_at), nonce))
        return hmac.new(self._key(), text.encode(), hashlib.sha256).digest()

    def _key(self) -> bytes:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            key = os.urandom(_KEY_BYTES)
            replace_durably(self._path, key)
            return key
        with os.fdopen(descriptor, "rb") as stream:
            state, key = os.fstat(descriptor), stream.read(_KEY_BYTES + 1)
        if state.st_uid != os.geteuid() or stat.S_IMODE(state.st_mode) & 0o077 or len(key) != _KEY_BYTES:
            raise RefusedError(f"{self._path} is not a key that only the engine may read; remove it", reason="guard_error")
        return key


def _parts(token: str) -> tuple[str, str, str]:
    words = token.split(".")
    if len(words) != 3 or len(token) > _MOST_CHARS or not token.isascii() or not all(words):
        raise UsageError("this is no token of an approval; was it copied whole?")
    return words[0], words[1], words[2]


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")
