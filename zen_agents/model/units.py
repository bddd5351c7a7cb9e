"""Numbers with their units, as people read them."""

from __future__ import annotations

_SIZES = ("bytes", "rss", "free", "available")
_SECONDS = ("seconds", "loop_lag")


def size_in_words(size: float) -> str:
    """Return bytes for people: `1.5 GiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def with_unit(name: str, value: float) -> str:
    """Return what was measured under an observation's name: `93.1 %`, `1.5 GiB`, `0.21 s`, a mere number else."""
    what = name.rpartition(".")[2]
    if what.endswith("percent") or name.startswith("pressure."):
        return f"{value:.1f} %"
    if what.endswith(_SIZES):
        return size_in_words(value)
    if what.endswith(_SECONDS) or name.startswith("probe."):
        return f"{value:.3g} s"
    return f"{value:.3g} h" if what.startswith("hours_") else f"{value:.4g}"
