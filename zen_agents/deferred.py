"""A module that is loaded when something in it is asked for: libraries import what few of their users need."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

#: What a deferred module answers by itself: asyncio asks of each socket whether it is one of TLS, and before TLS none is.
_UNTIL_LOADED: Mapping[str, Mapping[str, Any]] = {"ssl": {"SSLSocket": type("SSLSocket", (), {})}}


class DeferredModule(ModuleType):
    """Stands for a module until something in it is asked for; then it has everything that the module has."""

    def __getattr__(self, name: str) -> Any:
        # inspect and warnings look for names like __file__ in every module; that is no use of it. __path__ is asked for by
        # whoever imports a module within it.
        if name.startswith("__") and name != "__path__":
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        module = importlib.import_module(self.__name__)
        self.__dict__.update(module.__dict__)
        return getattr(module, name)


def defer(*names: str) -> None:
    """Let these modules be loaded at their first use; one that is loaded already stays as it is."""
    for name in names:
        if name not in sys.modules:
            sys.modules[name] = deferred = DeferredModule(name)
            deferred.__dict__.update(_UNTIL_LOADED.get(name, {}))
