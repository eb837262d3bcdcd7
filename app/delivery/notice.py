"""What does a person read? A few short lines in the desk's language, one message for everything that came together.

Pure text. A line tells the ticket, the promise, what happened, and by when; the instants are on the desk's own clock, as
the signal carries them.
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
"""Lines of a message: what fits on a telephone. The rest is counted."""

_RECORDED: Final[Mapping[str, tuple[str, str, str, str, str]]] = {
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
    "clock.lapsed": ("lapsed", "délai expiré", "vervallen", "decaduto", "hết hạn"),
    "clock.breach_retracted": (
        "breach taken back",
        "dépassement annulé",
        "overschrijding ingetrokken",
        "superamento annullato",
        "rút lại báo quá hạn",
    ),
    "clock.miss_retracted": (
        "miss taken back",
        "manquement annulé",
        "gemist doel ingetrokken",
        "mancato obiettivo annullato",
        "rút lại báo không đạt",
    ),
    "clock.stopped": ("done", "terminé", "klaar", "concluso", "hoàn tất"),
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
        "đổi chỗ trong hàng đợi",
    ),
    "queue.left": (
        "left the queue",
        "sorti de la file",
        "uit de wachtrij",
        "uscito dalla coda",
        "rời hàng đợi",
    ),
    "subscription.disabled": (
        "deliveries switched off",
        "envois désactivés",
        "bezorging uitgeschakeld",
        "consegne disattivate",
        "đã tắt gửi thông báo",
    ),
    "subscription.test": ("test", "essai", "test", "prova", "thử nghiệm"),
}
"""What happened, by kind, in the order of the languages."""

_DUE: Final = ("due", "échéance", "uiterlijk", "scadenza", "hạn")
_MORE: Final = ("and {} more", "et {} de plus", "en nog {}", "e altri {}", "và {} mục nữa")


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to people."""

    title: str
    text: str


def notice(signals: Sequence[Mapping[str, Any]], language: str) -> Notice:
    """One message about signals of one desk or several, the earliest first."""
    place = list(Language).index(Language(language))
    counts = Counter(_told(signal["kind"], place) for signal in signals)
    desks = ", ".join(dict.fromkeys(signal["desk"] for signal in signals))
    what = ", ".join(
        recorded if count == 1 else f"{count} x {recorded}" for recorded, count in counts.most_common()
    )
    lines = [_line(signal, place) for signal in signals[:SHOWN]]
    if len(signals) > SHOWN:
        lines.append(_MORE[place].format(len(signals) - SHOWN))
    return Notice(f"{desks}: {what}", "\n".join(lines))


def _told(kind: str, place: int) -> str:
    phrases = _RECORDED.get(kind)
    return kind if phrases is None else phrases[place]


def _line(signal: Mapping[str, Any], place: int) -> str:
    clock: Mapping[str, Any] = signal.get("clock") or {}
    about = (
        clock.get("label") or signal.get("commitment") or signal.get("queue") or signal.get("reason") or ""
    )
    subject = " ".join(filter(None, (signal.get("ticket"), about)))
    line = f"{subject}: {_told(signal['kind'], place)}" if subject else _told(signal["kind"], place)
    due = clock.get("calendar_local_due") or clock.get("due_at")
    return line if due is None else f"{line} ({_DUE[place]} {_short(due)})"


def _short(instant: str) -> str:
    """An instant to the minute, with its offset, so that no reader takes it for another zone's."""
    at = datetime.fromisoformat(instant)
    return f"{at:%Y-%m-%d %H:%M} {at:%Z}"
