"""Forms about a ticket: a fact that a person records, an exclusion, a withdrawal. Instants are microseconds UTC."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from app.delivery.wording.phrases import N_
from app.intake.data_fields import is_visible
from app.principal import Principal
from app.sla.event import EventType
from app.sla.span import Micros, micros
from app.web.pages.frame.posted import Fault, name_fault

EXCLUSION, WITHDRAWAL = "exclusion", "withdrawal"
_NO_TIME = N_("Write a date and a time.")
_NOT_AFTER = N_("The end must lie after the start.")
_NO_EVENT = N_("Select an event of this ticket.")


@dataclass(slots=True)
class Entered:
    """A correction as it was sent. `faults`: phrases by the field that they are about."""

    form: str
    fields: Mapping[str, str]
    commitments: Sequence[str] = ()
    faults: dict[str, str] = field(default_factory=dict[str, str])
    since: Micros | None = None
    until: Micros | None = None

    @property
    def kind(self) -> EventType:
        """The type of the event that it makes."""
        return EventType.EXCLUSION_GRANTED if self.form == EXCLUSION else EventType.EVENT_WITHDRAWN

    @property
    def withdraws(self) -> str | None:
        """The id of the event that it withdraws."""
        return self.fields.get("id") if self.form == WITHDRAWAL else None


def entered_exclusion(
    sent: Sequence[tuple[str, str]], who: Principal, zone: str, known: Collection[str]
) -> Entered:
    """An exclusion. Its times are local to the zone; `known` are the commitments that it may name."""
    fields = dict(sent)
    named = [value for name, value in sent if name == "commitments" and value in known]
    found = Entered(EXCLUSION, fields, named, _signed(fields, who))
    found.since, found.until = (_instant(fields.get(name, ""), zone) for name in ("from", "to"))
    if found.since is None:
        found.faults["from"] = _NO_TIME
    if found.until is None:
        found.faults["to"] = _NO_TIME
    elif found.since is not None and found.since >= found.until:
        found.faults["to"] = _NOT_AFTER
    return found


def entered_withdrawal(fields: Mapping[str, str], who: Principal, events: Collection[str]) -> Entered:
    """A withdrawal. `events` are those that can be withdrawn."""
    found = Entered(WITHDRAWAL, fields, faults=_signed(fields, who))
    if fields.get("id") not in events:
        found.faults["id"] = _NO_EVENT
    return found


def _signed(fields: Mapping[str, str], who: Principal) -> dict[str, str]:
    faults: dict[str, str] = {}
    if (fault := name_fault(who, fields.get("author", ""))) is not None:
        faults["author"] = fault
    if not is_visible(fields.get("reason", "")):
        faults["reason"] = Fault.REASON
    return faults


def _instant(text: str, zone: str) -> Micros | None:
    """A local time as a browser sends it. In the hour that is repeated in autumn, the first of the two."""
    try:
        local = datetime.fromisoformat(text)
        return micros(local.replace(tzinfo=ZoneInfo(zone))) if local.tzinfo is None else None
    except (ValueError, OverflowError):
        return None
