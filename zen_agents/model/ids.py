"""Short ids that can be read over the phone: a prefix, a dash and base32 without vowels' lookalikes."""

from __future__ import annotations

import os

#: Crockford's base32 in lower case: no i, l, o, u.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"

INCIDENT, DECISION, ACTION, APPROVAL, ALERT = "inc", "dec", "act", "apr", "alr"


def new_id(prefix: str, *, length: int = 6) -> str:
    """Return a fresh id such as `inc-4k2p7m`; `length` characters give 5 bits each."""
    # 256 is a multiple of 32, so every character is as likely as the others.
    return f"{prefix}-" + "".join([ALPHABET[byte & 31] for byte in os.urandom(length)])
