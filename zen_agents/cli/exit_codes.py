"""What exit codes mean; the table of the reference and of the manual."""

from __future__ import annotations

from collections.abc import Mapping

EXIT_CODES: Mapping[int, str] = {
    0: "Done, healthy, or nothing to do.",
    1: "It ran, and the answer is bad: degraded, failed; or an error that no other code names.",
    2: "Wrong usage: an unknown flag, or an answer was needed where nobody can be asked.",
    3: "The engine is not running, or cannot be reached.",
    4: "Refused by a guard, or the plan no longer held; the reason is printed.",
    5: "No answer in time (`status --wait`).",
    6: "It ran, and it is not known whether it worked.",
    7: "The ledger is broken.",
    10: "Something would run (`plan --exit-code`).",
    75: "Busy: another engine holds this state directory. Try again.",
    77: "No permission.",
    78: "The configuration is not valid, or the state is of a newer version.",
    129: "Its terminal was closed, after a clean end.",
    130: "Ctrl-C, after a clean end.",
    143: "TERM, after a clean end.",
}
