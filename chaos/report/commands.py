"""The command line by which a figure can be had again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from chaos.result import Result


def command_of(result: Result) -> str:
    """Return the one for a single run."""
    variant = ["--variant", result.variant] if result.variant else []
    words = ["run", result.scenario, "--engine", result.engine, *variant, "--seed", str(result.seed)]
    return f"python -m chaos.run {shlex.join(words)}"


def command_of_all(results: Sequence[Result]) -> str:
    """Return the one for all runs of these results together; they may differ in anything but the range of seeds."""
    columns = zip(*((each.scenario, each.engine, each.variant) for each in results), strict=True)
    names, engines, variants = (list(dict.fromkeys(words)) for words in columns)
    seeds = [each.seed for each in results]
    words = ["run", *names, "--engine", ",".join(engines), "--seed", str(min(seeds))]
    words += ["--repeat", str(max(seeds) - min(seeds) + 1)] if max(seeds) > min(seeds) else []
    words += ["--variant", ",".join(variant or "none" for variant in variants)] if any(variants) else []
    return f"python -m chaos.run {shlex.join(words)}"
