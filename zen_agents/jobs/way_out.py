"""How this host reaches the outside, where that is not the usual way: authorities of its own, and proxies."""

from __future__ import annotations

import os

_NAMES = (
    "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy",
)  # fmt: skip


def way_out() -> dict[str, str]:
    """Return what a child that asks others needs to have in its environment."""
    return {name: os.environ[name] for name in _NAMES if name in os.environ}
