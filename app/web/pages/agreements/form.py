"""The form of an agreement file: its fields from the file's document.

The text is the file; the form is a view of what is changed most: names, levels, and of the commitments their label,
kind, targets, calendar, warnings, and which facts open and end their clocks. A value that the form cannot state plainly
is None there and stays in the text, as do all other keys. Values are not checked here: the check of the draft does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from app.web.pages.frame.files.editor import NotEditable

Document = Mapping[str, Any]
Pairs = Sequence[tuple[str, str]]

TOP: Final = ("name", "time_zone", "currency", "default_level")
"""Keys at the top of a file that the form shows."""
LEVEL, CONTRACT = "level:", "contract:"
"""In place of a ticket's field: the target is what the level, or the contract, sets under a name."""
FACTS: Final = ("stops_on", "ends_on", "pauses_while")
_SHOWN: Final = frozenset(
    {
        *("id", "label", "kind", "measure", "cycle", "target", "calendar", "warn_at", "starts_on"),
        *FACTS,
    }
)


@dataclass(frozen=True, slots=True)
class CommitmentForm:
    """The fields of one commitment.

    `labels` by language; "" is the one for all. `target_by`: the ticket's field that decides, `level:`, `contract:`, or
    "" for one target; `target` is that one, or the one for all other values, or the name that the level sets.
    `starts_any`: the first of the facts starts it; else all are needed.
    """

    id: str
    labels: Pairs = (("", ""),)
    kind: str = ""
    measure: str = ""
    cycle: str = "once"
    target_by: str | None = ""
    target: str = ""
    targets: Pairs = ()
    calendar: str | None = ""
    warn_at: str | None = ""
    starts_on: Sequence[str] | None = ()
    starts_any: bool = False
    stops_on: Sequence[str] | None = ()
    ends_on: Sequence[str] | None = ()
    pauses_while: Sequence[str] | None = ()


@dataclass(frozen=True, slots=True)
class LevelForm:
    """A level: its calendar, and what it sets, by name."""

    name: str
    calendar: str | None = ""
    figures: Pairs = ()


@dataclass(frozen=True, slots=True)
class AgreementForm:
    """The fields of a file. `top` has those at its top by key."""

    top: Mapping[str, str] = field(default_factory=dict[str, str])
    levels: Sequence[LevelForm] = ()
    commitments: Sequence[CommitmentForm] = ()


def form_of(document: Document) -> AgreementForm:
    """The form of a document. Raises NotEditable."""
    levels = _tables(document.get("levels", {}), "levels")
    commitments = [_commitment(table) for table in commitment_tables(document)]
    seen: set[str] = set()
    for each in commitments:
        if each.id in seen:
            raise NotEditable(f"commitments.{each.id}.id")
        seen.add(each.id)
    return AgreementForm(
        {key: str(document.get(key, "")) for key in TOP},
        tuple(_level(name, table) for name, table in levels.items()),
        tuple(commitments),
    )


def elsewhere(document: Document) -> dict[str, list[str]]:
    """By commitment, the keys that are in the text only."""
    found: dict[str, list[str]] = {}
    for table in commitment_tables(document):
        form = _commitment(table)
        unshown = {key for key in (*FACTS, "starts_on", "calendar", "warn_at") if getattr(form, key) is None}
        unshown |= {"target"} if form.target_by is None else set()
        found[form.id] = [key for key in table if key not in _SHOWN or key in unshown]
    return found


def commitment_tables(document: Document) -> list[Document]:
    """The tables of the commitments, each with an id. Raises NotEditable."""
    given: object = document.get("commitments", [])
    if not isinstance(given, list):
        raise NotEditable("commitments")
    for at, table in enumerate(cast("list[object]", given)):
        if not isinstance(table, Mapping) or not _has_id(cast("Document", table)):
            raise NotEditable(f"commitments[{at}].id")
    return cast("list[Document]", given)


def _has_id(table: Document) -> bool:
    return isinstance(table.get("id"), str) and bool(table["id"].strip())


def _tables(given: object, place: str) -> Mapping[str, Document]:
    if not isinstance(given, Mapping):
        raise NotEditable(place)
    tables = cast("Mapping[str, object]", given)
    for name, table in tables.items():
        if not isinstance(table, Mapping):
            raise NotEditable(f"{place}.{name}")
    return cast("Mapping[str, Document]", tables)


def _level(name: str, table: Document) -> LevelForm:
    figures = ((key, str(value)) for key, value in table.items() if key != "calendar" and _is_figure(value))
    return LevelForm(name, _text(table.get("calendar", "")), tuple(figures))


def _is_figure(value: object) -> bool:
    """Whether a value of a level is one that the form shows: a target, or a limit."""
    return isinstance(value, str | int) and not isinstance(value, bool)


def _commitment(table: Document) -> CommitmentForm:
    by, target, targets = _target(table.get("target", ""))
    starts, starts_any = _starts(table.get("starts_on", []))
    warnings = _words(table.get("warn_at", []))
    return CommitmentForm(
        id=str(table["id"]),
        labels=_labels(table.get("label", "")),
        kind=str(table.get("kind", "")),
        measure=str(table.get("measure", "")),
        cycle=str(table.get("cycle", "once")),
        target_by=by,
        target=target,
        targets=targets,
        calendar=_text(table.get("calendar", "")),
        warn_at=None if warnings is None else ", ".join(warnings),
        starts_on=starts,
        starts_any=starts_any,
        **{key: _words(table.get(key, [])) for key in FACTS},
    )


def _labels(given: object) -> Pairs:
    if isinstance(given, Mapping):
        return tuple((str(code), str(text)) for code, text in cast("Document", given).items())
    return (("", str(given)),)


def _target(given: object) -> tuple[str | None, str, Pairs]:
    """What decides about the target, the target itself, and those of single values."""
    if isinstance(given, str):
        mark = next((mark for mark in (LEVEL, CONTRACT) if given.startswith(mark)), "")
        return mark, given.removeprefix(mark).strip(), ()
    if not isinstance(given, Mapping):
        return None, "", ()
    table = cast("Document", given)
    if not all(isinstance(value, str) for value in table.values()) or not table.get("by"):
        return None, "", ()
    targets = ((key, value) for key, value in table.items() if key not in ("by", "else"))
    return table["by"], table.get("else", ""), tuple(targets)


def _starts(given: object) -> tuple[Sequence[str] | None, bool]:
    """The facts that start a clock, and whether the first of them is enough; None for groups that are nested."""
    listed = cast("list[object]", given) if isinstance(given, list) else None
    if listed is not None and len(listed) == 1 and isinstance(listed[0], list):
        return _words(cast("object", listed[0])), True
    return _words(listed), False


def _words(given: object) -> Sequence[str] | None:
    if not isinstance(given, list):
        return None
    words = cast("list[object]", given)
    return tuple(map(str, words)) if all(isinstance(word, str) for word in words) else None


def _text(given: object) -> str | None:
    return given if isinstance(given, str) else None
