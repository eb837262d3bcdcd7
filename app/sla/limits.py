"""Limits of a desk's files: how many commitments, warnings and windows a file may have that is put into force.

They are checked on the document as written, before anything is parsed. A stored version is never measured by them: it
stays readable when an operator lowers a limit.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast

from app.sla.document.faults import Fault

_MEASURES: Final = ("averages", "allowances", "charges")
_WINDOW: Final = re.compile(r"\s{0,8}\d{1,2}:\d{2}.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits, each named as its setting is."""

    agreement_commitments_max: int = 50
    commitment_warnings_max: int = 10
    calendar_windows_max: int = 24
    contract_resources_max: int = 1_000
    contract_targets_max: int = 50
    contract_text_max: int = 255

    def faults_of_agreement(self, document: Mapping[str, object]) -> Iterator[Fault]:
        """What is too many in an agreement's document."""
        yield from self._of_measures(document)
        for key in ("commitments", "availability"):
            if isinstance(tables := document.get(key), list):
                yield from self._of_commitments(key, cast("list[object]", tables))

    def _of_commitments(self, key: str, tables: list[object]) -> Iterator[Fault]:
        most = self.agreement_commitments_max
        if len(tables) > most:
            wrong = f"{len(tables)} commitments are more than {most}, the limit SLATIMER_AGREEMENT_COMMITMENTS_MAX"
            yield Fault(key, wrong, "Split the agreement over several desks, or raise the limit.")
            return
        for index, table in enumerate(tables):
            if isinstance(table, Mapping):
                yield from self._of_warnings(key, index, cast("Mapping[str, object]", table))

    def _of_measures(self, document: Mapping[str, object]) -> Iterator[Fault]:
        """Averages, allowances and charges: of each as many as commitments."""
        most = self.agreement_commitments_max
        for key in _MEASURES:
            tables = document.get(key)
            if isinstance(tables, list) and (count := len(cast("list[object]", tables))) > most:
                wrong = f"{count} {key} are more than {most}, the limit SLATIMER_AGREEMENT_COMMITMENTS_MAX"
                yield Fault(key, wrong, "Split the agreement over several desks, or raise the limit.")

    def _of_warnings(self, key: str, index: int, table: Mapping[str, object]) -> Iterator[Fault]:
        warnings, most = table.get("warn_at"), self.commitment_warnings_max
        if isinstance(warnings, list) and len(cast("list[object]", warnings)) > most:
            count = len(cast("list[object]", warnings))
            wrong = f"{count} warnings are more than {most}, the limit SLATIMER_COMMITMENT_WARNINGS_MAX"
            place = f"{key}.{table.get('id', index)}.warn_at"
            yield Fault(place, wrong, "Keep the warnings that somebody acts on, or raise the limit.")

    def faults_of_calendar(self, document: Mapping[str, object]) -> Iterator[Fault]:
        """The days with too many windows in a calendar's table, or in a document of several."""
        most = self.calendar_windows_max
        for place, entries in _lists(document):
            if len(entries) > most and any(map(_is_window, entries)):
                wrong = f"{len(entries)} windows in a day are more than {most}, the limit SLATIMER_CALENDAR_WINDOWS_MAX"
                yield Fault(place, wrong, "Join windows that adjoin, or raise the limit.")


def _lists(document: Mapping[str, object]) -> Iterator[tuple[str, list[object]]]:
    """Every list of a document with its place. Without recursion: a document may be nested deeply."""
    pending: list[tuple[str, object]] = [("", document)]
    while pending:
        place, value = pending.pop()
        if isinstance(value, Mapping):
            inner = cast("Mapping[str, object]", value)
            pending += [(f"{place}.{key}" if place else str(key), each) for key, each in inner.items()]
        elif isinstance(value, list):
            entries = cast("list[object]", value)
            yield place, entries
            pending += [(f"{place}[{n}]", each) for n, each in enumerate(entries)]


DEFAULT_LIMITS: Final = Limits()
"""The limits where no settings are."""


def _is_window(value: object) -> bool:
    return isinstance(value, str) and _WINDOW.fullmatch(value) is not None
