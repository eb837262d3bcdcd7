"""What the form tries: its fields as changes of a draft, and its faults by the field that they are about."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

import orjson

from app.delivery.wording.phrases import N_
from app.flow.agreement.contracts import FaultyContracts
from app.flow.agreement.desk_files import FaultyFiles
from app.flow.simulation.draft import Draft
from app.sla.document.faults import Fault
from app.web.http.problems import Kind, Problem
from app.web.pages.frame.files.sent import Sent
from app.web.pages.frame.reader import Reader
from app.web.pages.frame.simulating import NotStarted, start_simulation
from app.web.pages.frame.words import Words

TRIED: Final = "try."
"""What the names of the fields begin with, before the key of the change."""
_LISTS: Final = "calendars."
_CLOSED: Final = "-"
_LONGEST: Final = 20_000
"""Characters of the further changes, as the form limits them."""
_UNKNOWN: Final = N_("These changes cannot be stored.")


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a form was not accepted: the faults of the draft, or a phrase about a field; "" is the form as a whole."""

    faults: tuple[Fault, ...] = ()
    place: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """A form as it was sent. Dates as they were typed, the last one included."""

    desk: str
    first: str
    last: str
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    others: str = ""

    @property
    def changes(self) -> dict[str, Any]:
        """What is tried, by the keys of changes. A day's hours are a list; a dash is a closed day."""
        found: dict[str, Any] = {
            key: _hours(text) if key.startswith(_LISTS) else text for key, text in self.fields.items() if text
        }
        for line in self.others.splitlines():
            key, _, value = line.partition("=")
            if key.strip():
                found[key.strip()] = _value(value.strip())
        return found


def tried_of(sent: Sent) -> Tried:
    """What a browser has sent. Raises Problem."""
    others = sent.text("changes")
    if len(others) > _LONGEST:
        raise Problem(
            Kind.TOO_LARGE, f"More than {_LONGEST} characters of changes. Send a draft of the file instead."
        )
    fields = {key: sent.one(TRIED + key) for key in sent.names(TRIED)}
    return Tried(sent.one("desk"), sent.one("from"), sent.one("to"), fields, others)


async def start(reader: Reader, words: Words, desk: str, tried: Tried) -> str | Refused:
    """Start the simulation. Returns its id, or why there is none. Raises the 404 problem."""
    draft = Draft(changes=tried.changes)
    try:
        orjson.dumps(draft.changes)
    except orjson.JSONEncodeError:
        return Refused(place="changes", text=words.say(_UNKNOWN))
    try:
        return await start_simulation(reader, desk, tried.first, _day_after(tried.last), draft)
    except NotStarted as error:
        return Refused(place=error.place, text=words.say(error.phrase, **error.values))
    except FaultyFiles as error:
        return Refused(tuple(each.fault for each in error.faults))
    except FaultyContracts as error:
        return Refused(tuple(fault for _, fault in error.faults))


def fault_of(key: str, faults: Iterable[Fault]) -> Fault | None:
    """The first fault that is about a change: at its key, within what it sets, or around it."""
    return next((each for each in faults if _is_about(key, each.place)), None)


def faults_elsewhere(keys: Iterable[str], faults: Iterable[Fault]) -> list[Fault]:
    """The faults that are about none of these keys."""
    known = list(keys)
    return [each for each in faults if not any(_is_about(key, each.place) for key in known)]


def _is_about(key: str, place: str) -> bool:
    return place == key or place.startswith((f"{key}.", f"{key}[")) or key.startswith(f"{place}.")


def _hours(text: str) -> list[str]:
    return [] if text == _CLOSED else [part.strip() for part in text.split(",") if part.strip()]


def _value(text: str) -> Any:
    """A value as JSON; a text without quotes is one as it is, and the check says what is wrong with it."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _day_after(text: str) -> str:
    try:
        return (date.fromisoformat(text) + timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return text
