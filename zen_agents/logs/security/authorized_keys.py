"""Lines of an `authorized_keys` file (sshd(8)): whose key it is, without the key itself."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Final

_TYPES: Final = frozenset(
    {
        "ssh-rsa", "ssh-dss", "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com", "ssh-rsa-cert-v01@openssh.com",
        "ssh-ed25519-cert-v01@openssh.com",
    }
)  # fmt: skip
#: Characters of a comment, or of options, that are kept.
_MOST_TEXT: Final = 120


def key_in(line: str) -> str | None:
    """Return type, SHA-256 fingerprint (as `ssh-keygen -l` writes it) and comment of a line, None if it holds no key.

    Options before the key may have spaces within quotes; that there are some is said, since they restrict it.
    """
    words = _words(line.strip())
    place = next((number for number, word in enumerate(words[:2]) if word in _TYPES), None)
    if line.lstrip().startswith("#") or place is None or len(words) < place + 2:
        return None
    try:
        key = base64.b64decode(words[place + 1], validate=True)
    except (binascii.Error, ValueError):
        return None
    digest = base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")
    comment = " ".join(words[place + 2 :])[:_MOST_TEXT]
    options = f" with options {words[0][:_MOST_TEXT]}" if place else ""
    return f"{words[place]} SHA256:{digest} {comment or '(no comment)'}{options}"


def _words(line: str) -> list[str]:
    """Return the words of a line; spaces within double quotes divide none, and a quote after a backslash is none."""
    words, word, quoted, escaped = list[str](), "", False, False
    for character in line:
        if character.isspace() and not quoted:
            words, word = [*words, word] if word else words, ""
            continue
        quoted ^= character == '"' and not escaped
        escaped = character == "\\" and not escaped
        word += character
    return [*words, word] if word else words
