"""Modules of the standard library that asyncio imports and the engine may never use: loaded at the first use instead."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

#: TLS is needed only for pages asked for over https; with OpenSSL it is the largest thing that asyncio brings.
TLS = ("ssl", "asyncio.sslproto")


class DeferredModule(ModuleType):
    """Stands for a module until something in it is asked for; then it has everything that the module has."""

    def __getattr__(self, name: str) -> Any:
        # Import machinery, inspect and warnings look for names like __path__ in every module; that is no use of it.
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        module = importlib.import_module(self.__name__)
        self.__dict__.update(module.__dict__)
        return getattr(module, name)


def defer(*names: str) -> None:
    """Let these modules be loaded at their first use; one that is loaded already stays as it is."""
    for name in names:
        sys.modules.setdefault(name, DeferredModule(name))
