"""HTML and SVG elements: text and attributes are escaped where they are written out, so nothing can become markup."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, tostring

__all__ = ["Element", "add", "html_of"]


def add(parent: Element, tag: str, text: str = "", **attributes: str | float) -> Element:
    """Add an element to another and return it; `class_` is the attribute `class`, `_` in a name stands for `-`."""
    named = {name.rstrip("_").replace("_", "-"): _value(value) for name, value in attributes.items()}
    child = SubElement(parent, tag, named)
    child.text = text
    return child


def html_of(root: Element) -> str:
    """Return a whole page."""
    return "<!doctype html>\n" + tostring(root, encoding="unicode", method="html") + "\n"


def _value(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
