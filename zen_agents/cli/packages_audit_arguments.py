"""What `packages audit` takes: whom to ask, what to live with, and how old an answer may be."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from zen_agents.packages.advisories.addresses import EXPLOITED, NPM, OSV

_MAX_AGE: Final = "6h"
#: Best first.
RATINGS: Final = ("low", "medium", "high", "critical")


def add_audit_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `packages audit` takes besides environments."""
    parser.add_argument(
        "--osv", action="append", metavar="PLACE",
        help=f"audit: an address that speaks OSV's API, a directory or zip of its records (may be repeated; default {OSV})",
    )  # fmt: skip
    parser.add_argument(
        "--debsecan", metavar="PLACE",
        help="audit: feeds of Debian's tracker: an address, a directory or one file (default: the tracker's own)",
    )  # fmt: skip
    parser.add_argument("--suite", default="", metavar="CODENAME", help="audit: the release of Debian (default: the host's)")
    parser.add_argument(
        "--npm", nargs="?", const=NPM, default="", metavar="ADDRESS",
        help=f"audit: a registry that is asked about npm besides, as npm audit does (without a value: {NPM})",
    )  # fmt: skip
    parser.add_argument(
        "--exploited", nargs="?", const=EXPLOITED, default="", metavar="PLACE",
        help="audit: mark what is known to be exploited by CISA's catalogue: an address or a file (default: its own)",
    )  # fmt: skip
    parser.add_argument(
        "--vex", type=Path, action="append", metavar="FILE",
        help="audit: what does not count because somebody says why: OpenVEX or CycloneDX (may be repeated)",
    )  # fmt: skip
    parser.add_argument(
        "--ignore", type=Path, metavar="FILE", help="audit: weaknesses to live with, each with reason and end"
    )
    parser.add_argument(
        "--at-least", choices=RATINGS, default=RATINGS[0],
        help="audit: exit with 1 only for a weakness so bad, of unknown severity, or known to be exploited; all are shown",
    )  # fmt: skip
    parser.add_argument(
        "--max-age",
        default=_MAX_AGE,
        metavar="TIME",
        help=f"audit: ask again what was answered longer ago (default {_MAX_AGE})",
    )
