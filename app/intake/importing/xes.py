"""XES event logs (IEEE 1849): the events of each trace as rows.

A row has the attributes of its event by their keys, and those of its trace with `case:` before the key, as the tools of
process mining name them. The XML is read as a stream; document types and entities are refused, and an event may not be
longer than a row.
"""

from collections.abc import Callable, Iterator
from typing import BinaryIO, Final
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from app.intake.importing.unreadable import UnusableLog

_CHUNK: Final = 65_536
_OF_TRACE: Final = "case:"
_VALUES: Final = frozenset({"string", "date", "int", "float", "boolean", "id"})

XesRow = tuple[int, dict[str, object]]
"""(line, cells)."""


class _Events(ContentHandler):
    """Gathers the events of a trace; `done` has those of the traces that ended."""

    def __init__(self, line: Callable[[], int | None]) -> None:
        super().__init__()
        self._line = line
        self.done: list[XesRow] = []
        self.progress = 0
        """Events and traces that began or ended so far."""
        self.root: str | None = None
        self._path: list[str] = []
        self._trace: dict[str, object] = {}
        self._events: list[XesRow] = []

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 - the framework's name
        """A trace or an event begins, or one of its attributes is given. Nested attributes are passed over."""
        local = name.rpartition(":")[2]
        self.root = self.root or local
        above = self._path[-1] if self._path else None
        if local == "trace":
            self._trace, self._events = {}, []
            self.progress += 1
        elif local == "event":
            self._events.append((self._line() or 0, {}))
            self.progress += 1
        elif local in _VALUES and above in ("trace", "event") and "key" in attrs:
            key, value = attrs["key"], attrs.get("value", "")
            if above == "event" and self._events:
                self._events[-1][1][key] = value
            elif above == "trace":
                self._trace[_OF_TRACE + key] = value
        self._path.append(local)

    def endElement(self, name: str) -> None:  # noqa: ARG002, N802
        """A trace ends: its attributes hold for all of its events, wherever they are written."""
        ended = self._path.pop()
        if ended == "trace" or (ended == "event" and "trace" not in self._path):
            self.done += [(line, self._trace | cells) for line, cells in self._events]
            self._events = []
            self.progress += 1


def xes_rows(stream: BinaryIO, *, longest: int) -> Iterator[XesRow]:
    """The events of an XES log, each with its line. `longest`: bytes between one event and the next.

    Raises UnusableLog: XML that breaks off cannot be read behind the break.
    """
    parser = DefusedExpatParser(forbid_dtd=True)
    events = _Events(parser.getLineNumber)
    parser.setContentHandler(events)
    since, progress = 0, 0
    try:
        while chunk := stream.read(_CHUNK):
            parser.feed(chunk)
            yield from events.done
            events.done.clear()
            since = since + len(chunk) if events.progress == progress else 0
            progress = events.progress
            if since > longest:
                raise UnusableLog(f"an event in it has more than {longest} bytes")
        parser.close()
    except SAXParseException as error:
        raise UnusableLog(f"line {error.getLineNumber()}: it is no XML: {error.getMessage()}") from error
    except DefusedXmlException as error:
        raise UnusableLog(
            "it declares a document type or entities, which XES has not. Remove them"
        ) from error
    except (LookupError, ValueError) as error:
        raise UnusableLog(
            f"its XML declaration names an encoding that is not read here: {error}. Write it anew as UTF-8: "
            "iconv -t UTF-8"
        ) from error
    yield from events.done
    if events.root != "log":
        raise UnusableLog(f"it is no XES event log: its root is {events.root!r}, not 'log'")
