"""Lines of the average waiting time of calls."""

from dataclasses import dataclass
from decimal import Decimal

from app.delivery.wording.phrases import N_
from app.flow.query.serialize import Json
from app.web.pages.frame.words import SECONDS, Words
from app.web.pages.service.states import state_text


@dataclass(frozen=True, slots=True)
class CallLine:
    """A month of an average. `mean` is None without an answered call."""

    desk: str
    label: str
    mean: str | None
    target: str
    answered: int
    abandoned: int
    state: str
    state_text: str


NO_CALLS = N_("no calls")


def call_line(words: Words, average: Json) -> CallLine:
    """The line of an average, from its document."""
    mean, state = average["mean_seconds"], str(average["state"])
    text = words.say(NO_CALLS) if state == "none" else state_text(words, state)
    return CallLine(
        desk=average["desk"],
        label=average["label"],
        mean=None if mean is None else words.say(SECONDS, s=words.number(Decimal(str(mean)))),
        target=average["target"],
        answered=average["count"],
        abandoned=average["abandoned"],
        state=state,
        state_text=text,
    )
