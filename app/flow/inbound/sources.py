"""How is a system's delivery to a desk read and verified, and what does applying a file of sources do?

An adapter knows its system; the desk's file says what its own words mean. Parsing costs milliseconds, so files are kept
parsed, by their content. A desk without a file is read by the adapters' own maps.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.flow.agreement.desk_files import DeskFile, FaultyFiles, FileFault, FileKind, faults_of_sources
from app.intake import ADAPTERS, adapter_of
from app.intake.adapter import Adapter
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
    """How one system's deliveries to one desk are verified and read."""

    adapter: Adapter
    source: Source

    @property
    def schemes(self) -> tuple[Scheme, ...]:
        """The ways of signing that are taken: the one that the desk chose, else all that the system may use."""
        names = (self.source.scheme,) if self.source.scheme else self.adapter.schemes
        return tuple(SCHEMES[name] for name in names)


class Sources:
    """The files of all desks as parsed. One per process; safe to be asked from several threads."""

    def __init__(self, adapters: Mapping[str, Adapter] = ADAPTERS) -> None:
        self.adapters = adapters
        self._parsed: dict[str, tuple[str, Mapping[str, Source]]] = {}

    def configured(self, conn: Connection, desk: str, system: str) -> ConfiguredSource | None:
        """How that system is read for that desk; none when neither an adapter nor the desk's file knows it."""
        source = self._of_desk(conn, desk).get(system)
        adapter = None if system == EXPRESSION else self.adapters.get(system)
        if adapter is None:
            return None if source is None else ConfiguredSource(adapter_of(source), source)
        return ConfiguredSource(adapter, source or adapter.plain_source(desk))

    def known(self, conn: Connection, desk: str) -> list[str]:
        """The systems that could be connected to the desk."""
        return sorted((self.adapters.keys() - {EXPRESSION}) | self._of_desk(conn, desk).keys())

    def _of_desk(self, conn: Connection, desk: str) -> Mapping[str, Source]:
        digest = stored.digest(conn, desk)
        if digest is None:
            return {}
        held = self._parsed.get(desk)
        if held is None or held[0] != digest:
            found = stored.find(conn, desk)
            if found is None:
                return {}
            try:
                parsed = parse_sources(found.document, desk, self.adapters)
            except FaultyFile:
                # It parsed when it was applied, by an older release. Its desk's systems are read by the adapters' maps
                # until it is mended; whatever those do not know is listed in the inbox.
                parsed = dict[str, Source]()
            held = self._parsed[desk] = (found.digest, parsed)
        return held[1]


def apply_sources(
    conn: Connection, now: Micros, catalogue: Catalogue, sources: Sources, files: Iterable[DeskFile]
) -> list[str]:
    """Put files of sources into force. Returns the desks whose systems are read otherwise now. Raises FaultyFiles."""
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
