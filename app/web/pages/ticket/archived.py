"""An archived ticket whose events were deleted: its final view is all that is left."""

from datetime import datetime
from typing import Any

from app.sla.span import micros
from app.web.pages.frame.vocabulary import named
from app.web.pages.ticket.audience import Audience
from app.web.pages.ticket.read import TicketRead
from app.web.pages.ticket.vocabulary import STATES


def archived(found: TicketRead, to: Audience) -> dict[str, Any]:
    """Title, status and the clocks as they ended."""
    view = found.final_view or {}
    return {
        "title": view["title"],
        "clocks": [
            {
                "label": each["label"],
                "state": named(to.words, STATES, each["state"]),
                "is_late": bool(each["breached_at"]),
                "due": _stamp(each["due_at"], to),
                "stopped": _stamp(each["stopped_at"], to),
            }
            for each in view["clocks"]
        ],
    }


def _stamp(text: str | None, to: Audience) -> str | None:
    return None if text is None else to.stamp(micros(datetime.fromisoformat(text)))
