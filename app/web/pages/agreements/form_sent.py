"""The form of an agreement file as a browser sends it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count
from unicodedata import normalize

from app.web.pages.agreements.form import FACTS, TOP, AgreementForm, CommitmentForm, LevelForm
from app.web.pages.frame.files.sent import ADD, Sent

NEW = "new"
"""What the names of the fields of a new commitment begin with."""


@dataclass(frozen=True, slots=True)
class SentAgreement:
    """A form that was sent: the text, the text that the fields were shown from, and the fields. `removed`: ids of the
    commitments to remove; `new`: one to add."""

    text: str
    base: str
    form: AgreementForm
    removed: Sequence[str] = ()
    new: CommitmentForm | None = None


def sent_agreement(sent: Sent) -> SentAgreement:
    """What a browser has sent."""
    ids = sent.all("commitment")
    return SentAgreement(
        text=sent.text("text"),
        base=sent.text("base"),
        form=sent_form(sent),
        removed=[each for at, each in enumerate(ids) if sent.drops(f"c{at}")],
        new=new_commitment(sent),
    )


def new_commitment(sent: Sent) -> CommitmentForm | None:
    """The commitment to add: one that was given an id or a name, or whose button was pressed."""
    named = sent.one(f"{NEW}.id")
    if not named:
        names = (sent.one(f"{NEW}.label.{code}") for code in sent.names(f"{NEW}.label."))
        name = next(filter(None, names), "")
        if not name and sent.one("action") != ADD:
            return None
        named = _new_id(name, sent.all("commitment"))
    return _commitment(sent, named, NEW)


def _new_id(name: str, taken: Sequence[str]) -> str:
    """An id by the name: `First response` is `first-response`. Another's gets a number."""
    plain = normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    made = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "commitment"
    numbered = (f"{made}-{number}" for number in count(2))
    return next(each for each in chain([made], numbered) if each not in taken)


def sent_form(sent: Sent) -> AgreementForm:
    """The fields of what is there already; no fields where the form was not shown."""
    if not sent.names("top."):
        return AgreementForm()
    return AgreementForm(
        {key: sent.one(f"top.{key}") for key in TOP},
        tuple(_level(sent, name, f"l{at}") for at, name in enumerate(sent.all("level"))),
        tuple(_commitment(sent, each, f"c{at}") for at, each in enumerate(sent.all("commitment"))),
    )


def _level(sent: Sent, name: str, at: str) -> LevelForm:
    calendar = sent.one(f"{at}.calendar") if _is_shown(sent, at, "calendar") else None
    return LevelForm(name, calendar, _rows(sent, f"{at}.figures", "name"))


def _commitment(sent: Sent, commitment: str, at: str) -> CommitmentForm:
    def texts(key: str) -> tuple[str, ...] | None:
        return tuple(each for each in sent.all(f"{at}.{key}") if each) if _is_shown(sent, at, key) else None

    has_target = _is_shown(sent, at, "target")
    return CommitmentForm(
        id=commitment,
        labels=tuple((code, sent.one(f"{at}.label.{code}")) for code in sent.names(f"{at}.label.")),
        kind=sent.one(f"{at}.kind"),
        measure=sent.one(f"{at}.measure"),
        cycle=sent.one(f"{at}.cycle"),
        target_by=sent.one(f"{at}.target_by") if has_target else None,
        target=sent.one(f"{at}.target"),
        targets=_rows(sent, f"{at}.targets", "of") if has_target else (),
        calendar=sent.one(f"{at}.calendar") if _is_shown(sent, at, "calendar") else None,
        warn_at=sent.one(f"{at}.warn_at") if _is_shown(sent, at, "warn_at") else None,
        starts_on=texts("starts_on"),
        starts_any=sent.one(f"{at}.starts_any") == "any",
        **{key: texts(key) for key in FACTS},
    )


def _rows(sent: Sent, place: str, name: str) -> tuple[tuple[str, str], ...]:
    """Rows of a name and a value, without those that are empty."""
    return tuple((key, value) for key, value in sent.rows(place, name, "value") if key or value)


def _is_shown(sent: Sent, at: str, key: str) -> bool:
    """Whether the form had the field: a box that is not ticked is not sent, nor is what is in the text only."""
    return key in sent.all(f"{at}.shown")
