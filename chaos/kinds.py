"""Of which kinds scenarios are: what they are about, what they need, what is right, and what else goes wrong."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What the right answer is about."""

    #: Something is wrong and can be put right.
    FAULT = "fault"
    #: Something looks wrong; acting would do harm.
    TRAP = "trap"
    #: Nothing is wrong.
    CONTROL = "control"


class Privileges(StrEnum):
    """What the fault needs of a machine."""

    USER = "user"
    #: Root in namespaces of its own.
    CONTAINER = "container"
    #: A kernel of its own: run on the simulated port, never shown on a real host.
    KERNEL = "kernel"


class Right(StrEnum):
    """What an engine is to do."""

    REPAIRED = "repaired"
    #: People are told and the host is left as it is.
    TOLD = "told"
    #: Nothing at all.
    UNTOUCHED = "untouched"


class VariantKind(StrEnum):
    """What else goes wrong meanwhile."""

    KILLED_MID_ACTION = "killed_mid_action"
    DISK_FULL = "disk_full"
    CLOCK_JUMP = "clock_jump"
    LATE_APPROVAL = "late_approval"
    ALERTING_DOWN = "alerting_down"
    DRY_RUN = "dry_run"
