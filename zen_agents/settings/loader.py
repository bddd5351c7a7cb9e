"""From files, environment and flags to settings, with everything that is wrong told at once."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from zen_agents.dataclass import dataclass
from zen_agents.errors import SettingsError
from zen_agents.settings import environment
from zen_agents.settings.assembly import assemble
from zen_agents.settings.crosscheck import crosscheck
from zen_agents.settings.diagnostics import Diagnostic, Level, Report
from zen_agents.settings.models import Settings
from zen_agents.settings.nodes import Document, Node, Origin, Place, dotted, merge, put
from zen_agents.settings.plugins import load_plugins
from zen_agents.settings.reader import MAX_BYTES, read
from zen_agents.settings.secrets_in_text import refuse_secrets
from zen_agents.settings.sources import Source, origins, sources
from zen_agents.settings.trust import distrust

#: What is written out in a way of its own, and the names of packs: what came of them is in the rest.
_APART = {"agents", "actions", "extends"}


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of loading. With any error there are no settings, and a running engine keeps those it has."""

    settings: Settings | None
    #: Errors and warnings, in the order of the files.
    diagnostics: tuple[Diagnostic, ...]
    #: Dotted path of each leaf that was written -> where it came from.
    sources: Mapping[str, Source]
    #: Dotted path of each key that was written -> `file:line:column`.
    origins: Mapping[str, str]
    #: SHA-256 of the effective settings; "" without any.
    digest: str
    #: Files that were read, in order, as they were named.
    files: tuple[str, ...]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that are errors."""
        return tuple(each for each in self.diagnostics if each.level is Level.ERROR)

    def require(self) -> Settings:
        """Return the settings.

        Raises:
            SettingsError: with the diagnostics, one a line, if there are none.
        """
        if self.settings is None:
            from zen_agents.settings.rendering import render  # noqa: PLC0415 - only for those who made a mistake

            raise SettingsError(render(self.diagnostics, "concise", files=self.files))
        return self.settings

    def lean(self) -> Loaded:
        """Return what is worth remembering once everything is built from it: files, digest and diagnostics."""
        return replace(self, settings=None, sources={}, origins={})


def load(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    environ: Mapping[str, str],
    *,
    flags: Mapping[str, Any] | None = None,
    euid: int | None = None,
    lean: bool = False,
) -> Loaded:
    """Load one file with its `conf.d/*.yaml` beside it, or several files in the given order ("-" is standard input).

    Later files win over earlier ones, the environment over files, and `flags` (dotted path -> value) over all. Never raises
    for what is in them, or for files that cannot be read: that is in the diagnostics. With `lean` the sources are left out,
    and the origins of a configuration of thousands of entries are told down to each entry: an engine shows neither.
    """
    return load_tree(paths, environ, flags=flags, euid=euid, lean=lean)[0]


def load_tree(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    environ: Mapping[str, str],
    *,
    flags: Mapping[str, Any] | None = None,
    euid: int | None = None,
    lean: bool = False,
) -> tuple[Loaded, Node]:
    """Load as `load` does; return also the merged tree that the settings were made from, without secrets."""
    report = Report()
    named = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    files = [os.fspath(path) for path in named]
    root = Node(Place(Document(files[0] if files else "no file")), {})
    uid = os.geteuid() if euid is None else euid
    besides = drop_ins(files[0], report) if len(files) == 1 else []
    for index, file in enumerate([*files, *besides]):
        origin = Origin.FILE if file in files else Origin.DROP_IN
        tree = _read(file, report, origin=origin, euid=uid)
        if index == 0:
            root = tree
            continue
        merged = merge(root, tree)
        root = merged.root
        _tell_overlaps(merged.overlaps, report)
    if root.entry("extends") is not None:
        from zen_agents.settings.packs import extend  # noqa: PLC0415 - only for a file that extends something

        root = extend(root, files[0], uid, report)
    if _names_sigma(root):
        from zen_agents.settings.sigma_files import import_rules  # noqa: PLC0415 - only for a file that names some

        root = import_rules(root, uid, report)
    if _names_contract(root):
        from zen_agents.settings.included_contracts import include_contracts  # noqa: PLC0415 - only for a file that names one

        root = include_contracts(root, uid, report)
    load_plugins(root, uid, report)
    effective = _effective(root, environ, flags or {}, report)
    clean = effective if _unreadable(report) else refuse_secrets(effective, report)
    settings = None if _unreadable(report) else _settings(clean, environ, report)
    diagnostics = report.sorted()
    digest = digest_of(settings) if settings is not None else ""
    written = ({} if lean else sources(effective), origins(effective, lean=lean))
    return Loaded(settings, diagnostics, *written, digest, (*files, *besides)), clean


def digest_of(settings: Settings) -> str:
    """Return the SHA-256 of the effective settings, as JSON; hex."""
    # Agents may have thousands of entries: as text they take a tenth of what they take as values.
    whole = hashlib.sha256(settings.model_dump_json(by_alias=True, exclude=_APART).encode())
    whole.update(settings.actions.default.encode())
    for name in sorted(settings.agents):
        whole.update(f"\n{name} {settings.agents[name].model_dump_json(by_alias=True)}".encode())
    # The built-in list is that of a file which names its actions and nothing else; none of them is loaded for this.
    allow = settings.actions.allow
    for name in sorted(allow):
        written = "{}" if settings.actions.built_in else allow[name].model_dump_json(by_alias=True, exclude_defaults=True)
        whole.update(f"\n{name} {written}".encode())
    return whole.hexdigest()


def effective_values(settings: Settings) -> dict[str, Any]:
    """Return the effective settings as plain JSON values, in the words in which they can be written."""
    values = settings.model_dump(mode="json", by_alias=True, exclude=_APART)
    agents = {name: agent.model_dump(mode="json", by_alias=True) for name, agent in settings.agents.items()}
    allow = {name: policy.model_dump(mode="json", by_alias=True) for name, policy in settings.actions.allow.items()}
    return values | {"agents": agents, "actions": {"default": settings.actions.default, "allow": allow}}


def _settings(clean: Node, environ: Mapping[str, str], report: Report) -> Settings | None:
    settings = assemble(clean, report)
    crosscheck(clean, settings, environ, report)
    return None if report.failed else settings


def _effective(root: Node, environ: Mapping[str, str], flags: Mapping[str, Any], report: Report) -> Node:
    root = environment.apply(root, environ, report)
    for path, value in flags.items():
        document = Document(f"flag --{path.rpartition('.')[2].replace('_', '-')}", Origin.FLAG)
        if path == "mode" and not environment.safer(root, str(value), document, report):
            continue
        root = put(root, path.split("."), value, document)
    return root


def drop_ins(main: str, report: Report) -> list[str]:
    """Return the files of `conf.d` beside a main file, in their order."""
    if main == "-":
        return []
    folder = Path(main).parent / "conf.d"
    try:
        return [str(path) for path in sorted(folder.glob("*.yaml")) if not path.name.startswith(".")]
    except OSError as error:
        report.error("ZC006", f"cannot be read: {error.strerror}", Document(str(folder)))
        return []


def _read(file: str, report: Report, *, origin: Origin, euid: int) -> Node:
    name = "<stdin>" if file == "-" else file
    document = Document(name, origin)
    try:
        if file == "-":
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(file).open("rb") as stream:
                content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        report.error("ZC006", f"cannot be read: {getattr(error, 'strerror', None) or error}", document)
        return Node(Place(document), {})
    if file != "-" and (why := distrust(file, euid)):
        report.error("ZC403", f"is not trusted: {why}", document, help="chown root and chmod go-w what is named")
        return Node(Place(document), {})
    return read(content, name, report, origin=origin)


def _names_sigma(root: Node) -> bool:
    sources = root.get("agents", "log_analysis", "sources")
    written = sources.value.values() if sources is not None and sources.is_map else ()
    return any(entry.node.get("sigma") is not None for entry in written)


def _names_contract(root: Node) -> bool:
    datasets = root.get("agents", "data_validation", "datasets")
    written = datasets.value.values() if datasets is not None and datasets.is_map else ()
    return any(entry.node.get("contract") is not None for entry in written)


def _unreadable(report: Report) -> bool:
    """Tell whether a whole file is missing from the tree, so that what is left of it would be told wrongly."""
    whole = ("ZC001", "ZC002", "ZC003", "ZC005", "ZC006", "ZC403")
    return any(each.code in whole for each in report.found)


def _tell_overlaps(overlaps: list[tuple[Any, Node, Node]], report: Report) -> None:
    for path, below, above in overlaps:
        if below.place.document.origin is Origin.DROP_IN:
            message = f"`{dotted(path)}` is set in two drop-ins; this one wins"
            report.warning("ZC104", message, above, note=f"first set at {below.place}")
