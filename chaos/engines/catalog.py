"""All contenders, on one page."""

from __future__ import annotations

from chaos.engines.base import Contender
from chaos.engines.monit import Monit
from chaos.engines.none import NoEngine
from chaos.engines.systemd import Systemd
from chaos.engines.zen import Zen

CONTENDERS: tuple[type[Contender], ...] = (Zen, Monit, Systemd, NoEngine)
