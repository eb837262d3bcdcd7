"""The sections of a ticket's page: heading, clocks, queue, contract, events, signals, in the reader's words."""

from dataclasses import dataclass
from typing import Any, Final

from app.delivery.wording.phrases import N_
from app.flow.query.answer import TicketAnswer
from app.web.pages.frame.vocabulary import LEFT_QUEUE, MOVES, named
from app.web.pages.ticket.audience import Audience
from app.web.pages.ticket.clocks import cards, changes_at
from app.web.pages.ticket.cost import contract_of
from app.web.pages.ticket.explained import kept_label
from app.web.pages.ticket.history import events, signals
from app.web.pages.ticket.read import TicketRead
from app.web.pages.ticket.reasons import reason_text
from app.web.pages.ticket.vocabulary import FIELDS, FLAGS, MOVED, STATUSES

__all__ = ["Audience", "sections"]

_HTTP: Final = ("https://", "http://")


@dataclass(frozen=True, slots=True)
class Moved:
    """A move in a queue: when, what and why."""

    at: str
    text: str


@dataclass(frozen=True, slots=True)
class Waits:
    """Where the ticket waits, with what one more message of its customer would change."""

    queue: str
    place: str
    since: str
    reply: str
    moves: tuple[Moved, ...]
    then: str | None


def sections(found: TicketRead, answer: TicketAnswer, to: Audience, chosen: str | None) -> dict[str, Any]:
    """What the templates show."""
    evaluation = answer.evaluation
    clocks = cards(answer, found.breaches, to, chosen)
    fields, url = evaluation.ticket.fields, evaluation.ticket.fields.get("url")
    return {
        "title": fields.get("title"),
        "fields": _fields(answer, to),
        "url": str(url) if isinstance(url, str) and url.startswith(_HTTP) else None,
        "flags": [_flag(each, to) for each in evaluation.flags],
        "clocks": clocks,
        "not_applicable": [
            (kept_label(answer, commitment, to), reason_text(reason, to))
            for commitment, reason in evaluation.not_applicable
        ],
        "waits": _waits(found, answer, to),
        "contract": contract_of(found, answer, to),
        "others": [_other(each, to) for each in found.others],
        "customer": fields.get("customer"),
        "events": events(found, to),
        "earlier": found.earlier,
        "signals": signals(found, answer, to),
        "refresh_at": changes_at(answer, to.now),
        "zone": found.zone,
        "merged_into": answer.merged_into,
        "merged_from": answer.merged_from,
    }


def _fields(answer: TicketAnswer, to: Audience) -> list[tuple[str, str]]:
    ticket = answer.evaluation.ticket
    shown = {name: ticket.fields.get(name) for name in FIELDS} | {
        "status": named(to.words, STATUSES, ticket.status)
    }
    found = [(to.words.say(FIELDS[name]), str(value)) for name, value in shown.items() if value]
    if ticket.created_at is not None:
        found.append((to.words.say(N_("Created")), to.stamp(ticket.created_at)))
    return found


def _flag(flag: str, to: Audience) -> str:
    """A flag in words, with what it names."""
    name, _, about = flag.partition(":")
    text = to.words.say(FLAGS[name]) if name in FLAGS else name.replace("_", " ")
    return f"{text} ({about})" if about else text


def _waits(found: TicketRead, answer: TicketAnswer, to: Audience) -> Waits | None:
    queue, words = answer.queue, to.words
    if queue is None:
        return None
    place = words.say(
        N_("{position} of {length}"),
        position="?" if queue.position is None else words.number(queue.position),
        length="?" if queue.length is None else words.number(queue.length),
    )
    if queue.expected_reply_at is not None:
        reply = words.say(N_("Reply expected {when}."), when=to.about(queue.expected_reply_at))
    else:
        why = "" if queue.reason is None else reason_text(queue.reason, to)
        reply = words.say(N_("No reply can be forecast: {reason}."), reason=why)
    moves = tuple(Moved(to.stamp(each.at), _move(each, to)) for each in reversed(queue.moves))
    return Waits(queue.name, place, to.stamp(queue.joined_at), reply, moves, _then(found, to))


def _move(move: Any, to: Audience) -> str:
    kind = "left" if move.to_key is None else "joined" if move.from_key is None else "moved"
    cause = named(to.words, dict(MOVES) | dict(LEFT_QUEUE), move.cause)
    return to.words.say(N_("{what}: {why}"), what=to.words.say(MOVED[kind]), why=cause)


def _then(found: TicketRead, to: Audience) -> str | None:
    """What one more message of the customer would change, in a sentence or two."""
    if found.forecast is None:
        return None
    words, forecast = to.words, found.forecast.forecast
    now, then = forecast.position_now, forecast.position_then
    if now == then:
        parts = [words.say(N_("The ticket would stay at position {n}."), n=words.number(then))]
    else:
        before = "?" if now is None else words.number(now)
        phrase = N_("The ticket would go from position {before} to {then}.")
        parts = [words.say(phrase, before=before, then=words.number(then))]
    if forecast.expected_reply_at is not None:
        parts.append(words.say(N_("Reply expected {when}."), when=to.about(forecast.expected_reply_at)))
    if found.forecast.in_time is not None and found.forecast.due_at is not None:
        phrase = (
            N_("That is in time: due {when}.")
            if found.forecast.in_time
            else N_("That is too late: due {when}.")
        )
        parts.append(words.say(phrase, when=to.stamp(found.forecast.due_at)))
    return " ".join(parts)


def _other(view: dict[str, Any], to: Audience) -> dict[str, Any]:
    late = any(clock["breached_at"] for clock in view["clocks"])
    return {
        "ticket": view["ticket"],
        "title": view["title"],
        "status": named(to.words, STATUSES, view["status"]),
        "is_late": late,
    }
