"""The request for a simulation: its draft and its span, read and checked."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

from app.flow.agreement.desk_files import DeskFile, FileFault, FileKind, document_of
from app.flow.agreement.put import LARGEST
from app.flow.importing.contracts import read_toml
from app.flow.simulation.draft import CHANGES_PATH, ContractDocument, Draft
from app.intake.importing.unreadable import UnusableLog
from app.settings import Settings
from app.sla.calendar.zone import zone
from app.sla.span import Micros, Span, length_of
from app.web.http.day import DayOrInstant
from app.web.http.problems import Place, invalid, pointer

Text = dict[str, Any] | str


class NewSimulation(BaseModel):
    """What is to be judged again, and by what. Without a draft each ticket is judged by what judged it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "desk": "phpnet",
                "from": "2026-10-01",
                "to": "2026-11-01",
                "changes": {"levels.example-1.gti": "8h", "calendars.desk.hours.sat-sun": []},
            }
        },
    )

    desk: str = Field(examples=["phpnet"])
    since: DayOrInstant = Field(
        alias="from", description="tickets created from then on; a date is its beginning in the desk's zone"
    )
    until: DayOrInstant = Field(alias="to", description="up to then, when all of them are judged")
    changes: dict[str, Any] = Field(
        default_factory=dict[str, Any],
        description="single changes of the drafts, else of the version in force; null removes a key",
        examples=[{"commitments.gti.target": "8h", "calendars.desk.hours.sat": []}],
    )
    agreement: Text | None = Field(None, description="a draft of the agreement file, as TOML or JSON")
    calendars: Text | None = Field(None, description="a draft of the desk's calendar file, as TOML or JSON")
    contracts: list[dict[str, Any]] | dict[str, dict[str, Any]] | str | None = Field(
        None, description="drafts of contracts: a list, an object by id, or TOML with `[contracts.ID]`"
    )


def draft_of(asked: NewSimulation, settings: Settings) -> Draft:
    """The draft of a request. Raises Problem."""
    places: list[Place] = []
    most = settings.simulation_changes_max
    if len(asked.changes) > most:
        wrong = (
            f"has more than {most} changes, the limit SLATIMER_SIMULATION_CHANGES_MAX. Send a file instead"
        )
        places.append(Place("body", "/changes", wrong))
    if (wrong := _unstorable(asked.changes)) is not None:
        places.append(Place("body", "/changes", wrong))
    files = [
        file
        for kind, given in ((FileKind.AGREEMENT, asked.agreement), (FileKind.CALENDARS, asked.calendars))
        if (file := _file(asked.desk, kind, given, places)) is not None
    ]
    contracts = _contracts(asked.contracts, places)
    if len(contracts) > settings.contract_import_max:
        wrong = f"has more than {settings.contract_import_max} terms, the limit SLATIMER_CONTRACT_IMPORT_MAX"
        places.append(Place("body", "/contracts", wrong))
    if places:
        raise invalid(places)
    return Draft(files, contracts, asked.changes)


def _unstorable(value: object) -> str | None:
    """Why a value cannot be stored, if it cannot."""
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        return f"cannot be stored: {error}"
    return None


def _file(desk: str, kind: FileKind, given: Text | None, places: list[Place]) -> DeskFile | None:
    """The draft of a file, which has the name of its kind in the request. Adds what is wrong with it to `places`."""
    if given is None:
        return None
    name = kind.value
    if isinstance(given, dict):
        if (wrong := _unstorable(given)) is not None:
            places.append(Place("body", pointer([name]), wrong))
        return DeskFile(name, desk, kind, given, "")
    if len(given) > LARGEST:
        places.append(Place("body", pointer([name]), f"has more than {LARGEST:,} characters"))
        return None
    try:
        return DeskFile(name, desk, kind, document_of(given), given)
    except ValueError as error:
        places.append(Place("body", pointer([name]), f"is not TOML: {error}"))
        return None


def _contracts(
    given: list[dict[str, Any]] | dict[str, dict[str, Any]] | str | None, places: list[Place]
) -> list[ContractDocument]:
    """The contracts' documents, each with its place as a JSON pointer. Adds what is wrong with them to `places`."""
    if given is None:
        return []
    if isinstance(given, str):
        try:
            return [("/contracts", document) for _, document in read_toml(given.encode()).documents]
        except (UnusableLog, UnicodeEncodeError) as error:
            places.append(Place("body", "/contracts", str(error)))
            return []
    if (wrong := _unstorable(given)) is not None:
        places.append(Place("body", "/contracts", wrong))
        return []
    if isinstance(given, list):
        return [(pointer(["contracts", str(number)]), each) for number, each in enumerate(given)]
    return [(pointer(["contracts", name]), {"id": name} | each) for name, each in given.items()]


def span_of(asked: NewSimulation, zone_name: str, settings: Settings) -> Span:
    """The span of a request; a date is its beginning in this zone. Raises Problem."""
    start, end = (_instant(each, zone_name) for each in (asked.since, asked.until))
    longest = settings.simulation_span_max
    if end <= start:
        raise invalid([Place("body", "/to", "must be later than `from`")])
    if end - start > length_of(longest):
        wrong = f"is more than {longest.days} days after `from`, the limit SLATIMER_SIMULATION_SPAN_MAX"
        raise invalid([Place("body", "/to", wrong)])
    return Span(start, end)


def _instant(given: Micros | date, zone_name: str) -> Micros:
    if not isinstance(given, date):
        return given
    return max(0, zone(zone_name).end_of_day(date.fromordinal(given.toordinal() - 1)))


def place_of(changes: Mapping[str, Any], found: FileFault) -> Place:
    """A fault by the change or the draft that has it."""
    fault = found.fault
    steps = [found.path]
    if found.path == CHANGES_PATH:
        near = (key for key in changes if _is_about(key, fault.place))
        steps += [key] if (key := next(near, None)) is not None else []
    line = "" if found.line is None else f"line {found.line}: "
    return Place("body", pointer(steps), f"{fault.place}: {line}{fault.wrong}. {fault.right}")


def _is_about(key: str, place: str) -> bool:
    return place == key or place.startswith(f"{key}.") or key.startswith(f"{place}.")
