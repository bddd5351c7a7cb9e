"""Whether something can be read, of a process that may have thousands of descriptors open: `select` knows 1,024 of them."""

from __future__ import annotations

import select


def readable(descriptor: int, seconds: float | None) -> bool:
    """Wait so long, None for as long as it takes, until there is something to read, or nothing will ever be."""
    asked = select.poll()
    asked.register(descriptor, select.POLLIN)
    return bool(asked.poll(None if seconds is None else 1000 * seconds))
