"""All variants, on one page. A new one is one file plus one line here."""

from __future__ import annotations

from chaos.variants.alerting_down import AlertingDown
from chaos.variants.base import Variant
from chaos.variants.clock_jump import ClockJumpBack, ClockJumpForward
from chaos.variants.disk_full import DiskFull
from chaos.variants.dry_run import DryRun
from chaos.variants.killed_mid_action import KilledAfterTheDeed, KilledBeforeTheDeed
from chaos.variants.late_approval import LateApproval

VARIANTS: tuple[type[Variant], ...] = (
    KilledBeforeTheDeed,
    KilledAfterTheDeed,
    DiskFull,
    ClockJumpForward,
    ClockJumpBack,
    AlertingDown,
    DryRun,
    LateApproval,
)
