"""Renders signals as one short message to people, in the language of the subscription. Pure.

A line names the ticket, the commitment, what happened and the due date, in the local time of the commitment's calendar
as the signal carries it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final


class Language(StrEnum):
    """The languages that messages are written in."""

    EN = "en"
    FR = "fr"
    NL = "nl"
    IT = "it"
    VI = "vi"


SHOWN: Final = 10
"""Lines of a message: what fits on a phone. The rest is counted."""

_PHRASES: Final[Mapping[str, tuple[str, str, str, str, str]]] = {
    "clock.started": ("started", "démarré", "gestart", "avviato", "bắt đầu"),
    "clock.paused": ("paused", "en pause", "gepauzeerd", "in pausa", "tạm dừng"),
    "clock.resumed": ("resumed", "repris", "hervat", "ripreso", "tiếp tục"),
    "clock.warned": ("due soon", "bientôt à échéance", "bijna verlopen", "in scadenza", "sắp đến hạn"),
    "clock.breached": ("breached", "délai dépassé", "termijn overschreden", "termine superato", "quá hạn"),
    "clock.missed": (
        "objective missed",
        "objectif manqué",
        "doel gemist",
        "obiettivo mancato",
        "không đạt mục tiêu",
    ),
    "clock.lapsed": ("deadline passed", "délai expiré", "termijn verstreken", "termine scaduto", "hết hạn"),
    "clock.breach_retracted": (
        "breach retracted",
        "dépassement annulé",
        "overschrijding ingetrokken",
        "superamento annullato",
        "hủy cảnh báo quá hạn",
    ),
    "clock.miss_retracted": (
        "missed objective retracted",
        "manquement annulé",
        "gemist doel ingetrokken",
        "mancato obiettivo annullato",
        "hủy cảnh báo không đạt mục tiêu",
    ),
    "clock.stopped": ("completed", "terminé", "afgerond", "completato", "hoàn tất"),
    "clock.reopened": ("reopened", "rouvert", "heropend", "riaperto", "mở lại"),
    "clock.cancelled": ("cancelled", "annulé", "geannuleerd", "annullato", "đã hủy"),
    "clock.due_changed": (
        "due date changed",
        "échéance modifiée",
        "termijn gewijzigd",
        "scadenza cambiata",
        "đổi hạn",
    ),
    "queue.joined": (
        "joined the queue",
        "entré dans la file",
        "in de wachtrij",
        "entrato in coda",
        "vào hàng đợi",
    ),
    "queue.moved": (
        "moved in the queue",
        "déplacé dans la file",
        "verplaatst in de wachtrij",
        "spostato in coda",
        "đổi vị trí trong hàng đợi",
    ),
    "queue.left": (
        "left the queue",
        "sorti de la file",
        "uit de wachtrij",
        "uscito dalla coda",
        "rời hàng đợi",
    ),
    "subscription.disabled": (
        "deliveries disabled",
        "envois désactivés",
        "bezorging uitgeschakeld",
        "invii disattivati",
        "đã tắt gửi thông báo",
    ),
    "subscription.test": ("test", "essai", "test", "prova", "thử nghiệm"),
}
"""What happened, by kind of signal, in the order of `Language`."""

_DUE: Final = ("due", "échéance", "uiterlijk", "scadenza", "hạn")
_MORE: Final = ("and {} more", "et {} de plus", "en nog {}", "e altri {}", "và {} mục nữa")


@dataclass(frozen=True, slots=True)
class Notice:
    """The title and text of a message."""

    title: str
    text: str


def notice(signals: Sequence[Mapping[str, Any]], language: str) -> Notice:
    """One message about these signals, which are ordered earliest first and may be of several desks."""
    place = list(Language).index(Language(language))
    counts = Counter(_phrase(signal["kind"], place) for signal in signals)
    desks = ", ".join(dict.fromkeys(signal["desk"] for signal in signals))
    what = ", ".join(
        phrase if count == 1 else f"{count} x {phrase}" for phrase, count in counts.most_common()
    )
    lines = [_line(signal, place) for signal in signals[:SHOWN]]
    if len(signals) > SHOWN:
        lines.append(_MORE[place].format(len(signals) - SHOWN))
    return Notice(f"{desks}: {what}", "\n".join(lines))


def _phrase(kind: str, place: int) -> str:
    phrases = _PHRASES.get(kind)
    return kind if phrases is None else phrases[place]


def _line(signal: Mapping[str, Any], place: int) -> str:
    clock: Mapping[str, Any] = signal.get("clock") or {}
    about = (
        clock.get("label") or signal.get("commitment") or signal.get("queue") or signal.get("reason") or ""
    )
    subject = " ".join(filter(None, (signal.get("ticket"), about)))
    line = f"{subject}: {_phrase(signal['kind'], place)}" if subject else _phrase(signal["kind"], place)
    due = clock.get("calendar_local_due") or clock.get("due_at")
    return line if due is None else f"{line} ({_DUE[place]} {_short(due)})"


def _short(instant: str) -> str:
    """An instant to the minute, with its offset from UTC."""
    at = datetime.fromisoformat(instant)
    return f"{at:%Y-%m-%d %H:%M} {at:%Z}"
