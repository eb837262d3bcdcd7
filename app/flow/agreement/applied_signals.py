"""The signals of a new version: `agreement.applied` and `calendar.applied`, by what it changes.

Their subject is the desk. The number of the version is part of their key, so each is recorded once. Instants are
microseconds UTC.
"""

from collections.abc import Iterator
from typing import Final

from app.flow.agreement.plan import Plan
from app.flow.judge.emit import encoded
from app.flow.query import serialize
from app.sla.subject import THE_DESK
from app.store import audit
from app.store.contracts.stored_version import Documents, digest_of
from app.store.tickets.signals import NewSignal

AGREEMENT_APPLIED: Final = "agreement.applied"
CALENDAR_APPLIED: Final = "calendar.applied"
APPLIED_KINDS: Final = (AGREEMENT_APPLIED, CALENDAR_APPLIED)

_NOTHING: Final = Documents(None, {})


def applied_signals(plan: Plan) -> list[NewSignal]:
    """The signals of a version that is stored now, with when it comes into force."""
    return [_signal(plan, kind) for kind in _kinds(plan)]


def _kinds(plan: Plan) -> Iterator[str]:
    before = _NOTHING if plan.before is None else plan.before.documents
    if digest_of(before.agreement) != digest_of(plan.documents.agreement):
        yield AGREEMENT_APPLIED
    if not _without_agreement(before).is_same(_without_agreement(plan.documents)):
        yield CALENDAR_APPLIED


def _without_agreement(documents: Documents) -> Documents:
    return Documents(None, documents.calendars, holidays=documents.holidays)


def _signal(plan: Plan, kind: str) -> NewSignal:
    actor = audit.acting.get()
    signal = NewSignal(
        desk=plan.desk,
        subject=THE_DESK,
        kind=kind,
        occurrence=str(plan.number),
        at=plan.recorded_at,
        detected_at=plan.recorded_at,
        trace=actor.request_id,
    )
    body = serialize.signal(signal) | {
        "number": plan.number,
        "effective_from": serialize.instant_text(plan.effective_from),
        "applies_to": plan.applies_to.value,
        "who": actor.who,
        "note": plan.author_note,
        "holiday_changes": plan.note,
        "replaced_versions": list(plan.replaces),
        "clock": None,
    }
    return encoded(signal, body)
