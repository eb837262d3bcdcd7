"""Which adapter and which configuration read a desk's ticket systems; applying files of sources.

An adapter knows its system; the desk's file maps the desk's own words. Parsed files are cached by content, since parsing
takes milliseconds. Without a file a desk's systems are read with the adapters' defaults.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.flow.agreement.desk_files import DeskFile, FaultyFiles, FileFault, FileKind, faults_of_sources
from app.intake.adapter import Adapter
from app.intake.adapters import ADAPTERS, adapter_of
from app.intake.mapping.source import Source
from app.intake.signature import SCHEMES, Scheme
from app.intake.source_file import EXPRESSION, parse_sources
from app.sla.document.faults import Fault, FaultyFile
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.inbound import sources as stored


@dataclass(frozen=True, slots=True)
class ConfiguredSource:
    """One ticket system of one desk: the adapter that verifies and reads it, and the desk's configuration."""

    adapter: Adapter
    source: Source

    @property
    def schemes(self) -> tuple[Scheme, ...]:
        """The accepted signature schemes: the one that the desk chose, else all that the system may use."""
        names = (self.source.scheme,) if self.source.scheme else self.adapter.schemes
        return tuple(SCHEMES[name] for name in names)


class Sources:
    """The parsed files of all desks. One per process; safe to use from several threads."""

    def __init__(self, adapters: Mapping[str, Adapter] = ADAPTERS) -> None:
        self.adapters = adapters
        self._parsed: dict[str, tuple[str, Mapping[str, Source]]] = {}

    def configured(self, conn: Connection, desk: str, system: str) -> ConfiguredSource | None:
        """The system of that desk; none when neither an adapter nor the desk's file knows it."""
        source = self._of_desk(conn, desk).get(system)
        adapter = None if system == EXPRESSION else self.adapters.get(system)
        if adapter is None:
            return None if source is None else ConfiguredSource(adapter_of(source), source)
        return ConfiguredSource(adapter, source or adapter.plain_source(desk))

    def known(self, conn: Connection, desk: str) -> list[str]:
        """The systems that can be connected to the desk."""
        return sorted((self.adapters.keys() - {EXPRESSION}) | self._of_desk(conn, desk).keys())

    def _of_desk(self, conn: Connection, desk: str) -> Mapping[str, Source]:
        digest = stored.digest(conn, desk)
        if digest is None:
            return {}
        cached = self._parsed.get(desk)
        if cached is None or cached[0] != digest:
            found = stored.find(conn, desk)
            if found is None:
                return {}
            try:
                parsed = parse_sources(found.document, desk, self.adapters)
            except FaultyFile:
                # It parsed when an older release applied it. Until it is corrected the desk's systems are read with the
                # adapters' defaults; words that those do not know are listed in the inbox.
                parsed = dict[str, Source]()
            cached = self._parsed[desk] = (found.digest, parsed)
        return cached[1]


def apply_sources(
    conn: Connection, now: Micros, catalogue: Catalogue, sources: Sources, files: Iterable[DeskFile]
) -> list[str]:
    """Put files of sources into force. Returns the desks whose configuration changed. Raises FaultyFiles."""
    files = [file for file in files if file.kind is FileKind.SOURCES]
    known = catalogue.desks(conn)
    faults = faults_of_sources(files, sources.adapters) + [
        FileFault(
            file.path, None, Fault("desk", f"no desk {file.desk!r} is known", "Apply its agreement too.")
        )
        for file in files
        if file.desk not in known
    ]
    if faults:
        raise FaultyFiles(faults)
    return [file.desk for file in files if stored.put(conn, file.desk, file.document, file.text, now)]
