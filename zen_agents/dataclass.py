"""The standard library's `dataclass`, but that each generated method is compiled when it is first asked for.

Compiling them is what a dataclass costs: some 0.6 ms each with Python 3.11, a third of the time in which the engine would
start, and in one process most are never made, compared or printed. A class made here is used like one of `dataclasses`,
whose `fields`, `replace` and `asdict` take it, and its methods are the very ones that the standard library writes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

__all__ = ["compile_now", "dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool = False, slots: bool = False, eq: bool = True, order: bool = False) -> Callable:
        """Return a decorator that does with a class what `dataclasses.dataclass` does, sooner or later."""

        def decorate(cls: type) -> type:
            own = set(vars(cls))
            made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
            if frozen:
                made.__setattr__, made.__delattr__ = _refuse_to_set, _refuse_to_delete
                made.__getstate__, made.__setstate__ = _state, _set_state
            elif eq and "__hash__" not in own:
                made.__hash__ = None
            for name in _generated(frozen=frozen, eq=eq, order=order):
                if name not in own:
                    setattr(made, name, _AtFirstUse(made, name, frozen))
            return made

        return decorate


def compile_now(*classes: type) -> None:
    """Compile what makes objects of these classes, where making the first one must not wait for it."""
    for cls in classes:
        getattr(cls, "__init__")  # noqa: B009 - looking it up is what compiles it


_ORDER = ("__lt__", "__le__", "__gt__", "__ge__")
#: What a field says besides its name and type.
_WORDS = ("default", "default_factory", "init", "repr", "hash", "compare", "metadata", "kw_only")


def _generated(*, frozen: bool, eq: bool, order: bool) -> tuple[str, ...]:
    hashed = ("__hash__",) if frozen and eq else ()
    return ("__init__", "__repr__", *(("__eq__",) if eq else ()), *hashed, *(_ORDER if order else ()))


class _AtFirstUse:
    """Stands for a method of a class until somebody asks for it."""

    __slots__ = ("_cls", "_frozen", "_name")

    def __init__(self, cls: type[Any], name: str, frozen: bool) -> None:
        self._cls, self._name, self._frozen = cls, name, frozen

    def __get__(self, instance: object, owner: type[Any] | None = None) -> Any:
        method = getattr(_model_of(self._cls, self._name, self._frozen), self._name)
        setattr(self._cls, self._name, method)
        return method.__get__(instance, owner)


def _model_of(cls: type[Any], method: str, frozen: bool) -> type[Any]:
    """Return a class with the fields of another to which the standard library gives one method (or little more)."""
    fields = dataclasses.fields(cls)
    body = {field.name: dataclasses.field(**{word: getattr(field, word) for word in _WORDS}) for field in fields}
    body["__annotations__"] = {field.name: field.type for field in fields}
    body |= {
        name: getattr(cls, name) for name in ("__module__", "__qualname__", "__doc__", "__post_init__") if hasattr(cls, name)
    }
    is_init, is_repr = method == "__init__", method == "__repr__"
    compares = not is_init and not is_repr
    model = type(cls.__name__, (), body)
    return dataclasses.dataclass(
        init=is_init, repr=is_repr, eq=compares, order=method in _ORDER, frozen=frozen, match_args=False
    )(model)


def _refuse_to_set(_self: object, name: str, _value: object) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_self: object, name: str) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
