"""What the pages of connections show, in the reader's words. Instants are microseconds UTC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.delivery.wording.phrases import N_
from app.flow.inbound.connected import Connected
from app.sla.span import SECOND, Micros
from app.store.inbound.hooks import HookState, ListedHook, StoredHook
from app.web.pages.frame.words import Words

_UTC: Final = "UTC"
_MINUTE: Final = 60
_DAY: Final = 24 * 3600

STATES: Final[Mapping[HookState, str]] = {
    HookState.PENDING: N_("waiting to be read"),
    HookState.DONE: N_("read"),
    HookState.IGNORED: N_("nothing to record"),
    HookState.KEPT: N_("not read"),
}
"""States of a webhook."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook in a list. `faults`: why it was not read, or which words are not mapped."""

    id: str
    desk: str
    system: str
    when: str
    state: str
    is_faulty: bool
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A connection in the list. `latest` is its last webhook; none came yet, or all were deleted."""

    desk: str
    system: str
    label: str
    latest: Webhook | None
    unread: int
    unmapped: int


@dataclass(frozen=True, slots=True)
class Writing:
    """How instants are written: the words, the instant of the page, and the reader's zone."""

    words: Words
    now: Micros
    zone: str | None

    def when(self, at: Micros) -> str:
        """An instant of the last day as how long ago it was, others with their date."""
        seconds = max(0, self.now - at) // SECOND
        if seconds < _MINUTE:
            return self.words.say(N_("just now"))
        if seconds < _DAY:
            return self.words.say(N_("{time} ago"), time=self.words.elapsed(seconds))
        return self.words.written(at, self.zone or _UTC, self.now)

    def webhook(self, hook: ListedHook | StoredHook) -> Webhook:
        """A webhook as it is listed."""
        faults = (() if hook.reason is None else (hook.reason,)) + tuple(hook.warnings)
        is_faulty = hook.state is HookState.KEPT or bool(hook.warnings)
        state = self.words.say(STATES[hook.state])
        return Webhook(hook.id, hook.desk, hook.system, self.when(hook.received_at), state, is_faulty, faults)

    def lines(self, found: Sequence[Connected]) -> list[Line]:
        """The connections as they are listed."""
        return [
            Line(
                each.stored.desk,
                each.stored.system,
                each.label,
                self.webhook(each.latest[0]) if each.latest else None,
                each.unread,
                each.unmapped,
            )
            for each in found
        ]
