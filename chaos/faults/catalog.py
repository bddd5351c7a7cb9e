"""All faults, on one page. A new one is one file plus one line here."""

from __future__ import annotations

from chaos.faults.base import Fault
from chaos.faults.crashed_service import CrashedService
from chaos.faults.stopped_by_person import StoppedByPerson
from chaos.faults.wrong_permissions import WrongPermissions

FAULTS: tuple[type[Fault], ...] = (
    CrashedService,
    StoppedByPerson,
    WrongPermissions,
)
