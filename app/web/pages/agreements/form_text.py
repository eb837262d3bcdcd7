"""The text of an agreement file with the changed fields of its form. All else stays as it is written."""

from collections.abc import Mapping
from typing import Any, cast

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from app.flow.agreement.desk_files import document_of
from app.web.pages.agreements.blocks import appended, without
from app.web.pages.agreements.form import (
    CONTRACT,
    FACTS,
    LEVEL,
    TOP,
    AgreementForm,
    CommitmentForm,
    LevelForm,
    form_of,
)
from app.web.pages.agreements.form_sent import SentAgreement
from app.web.pages.frame.files.editor import NotEditable


def text_with(sent: SentAgreement) -> str:
    """The text with the fields that differ from those of the base. Raises NotEditable."""
    if not sent.form.top:
        return sent.text  # the form was not shown
    try:
        return _written(sent)
    except (TOMLKitError, RecursionError) as error:
        raise NotEditable(str(error)) from error


def _written(sent: SentAgreement) -> str:
    before = form_of(_document(sent.base))
    text = sent.text if sent.form == before else _with_fields(sent, before)
    for commitment in sent.removed:
        text = without(text, "commitments", _place(text, commitment))
    if sent.new is not None:
        text = _with_new(text, sent.new)
    return text


def _document(text: str) -> dict[str, Any]:
    try:
        return document_of(text)
    except ValueError as error:
        raise NotEditable(str(error)) from error


def _with_fields(sent: SentAgreement, before: AgreementForm) -> str:
    _document(sent.text)
    document = cast("Any", tomlkit.parse(sent.text))
    for key in TOP:
        if sent.form.top[key] != before.top.get(key, ""):
            _set(document, key, sent.form.top[key])
    levels = {each.name: each for each in before.levels}
    for level in sent.form.levels:
        if level.name in levels and level != levels[level.name]:
            _write_level(_found(document.get("levels", {}), level.name), level, levels[level.name])
    commitments = {each.id: each for each in before.commitments}
    for each in sent.form.commitments:
        if each.id in commitments and each != commitments[each.id] and each.id not in sent.removed:
            _write(_by_id(document, each.id), each, commitments[each.id])
    text = tomlkit.dumps(document)
    _document(text)
    return text


def _with_new(text: str, new: CommitmentForm) -> str:
    if any(each.id == new.id for each in form_of(_document(text)).commitments):
        raise NotEditable(f"commitments.{new.id}.id")
    table = tomlkit.table()
    table["id"] = new.id
    _write(table, new, CommitmentForm(new.id))
    return appended(text, "commitments", tomlkit.dumps(cast("Any", table)))


def _place(text: str, commitment: str) -> int:
    ids = [each.id for each in form_of(_document(text)).commitments]
    if commitment not in ids:
        raise NotEditable(f"commitments.{commitment}")
    return ids.index(commitment)


def _by_id(document: Any, commitment: str) -> Any:
    found = next((each for each in document.get("commitments", []) if each.get("id") == commitment), None)
    if found is None:
        raise NotEditable(f"commitments.{commitment}")
    return found


def _found(levels: Any, name: str) -> Any:
    if name not in levels:
        raise NotEditable(f"levels.{name}")
    return levels[name]


# -- one table --------------------------------------------------------------------------------------------------------


def _write_level(table: Any, form: LevelForm, before: LevelForm) -> None:
    if form.calendar is not None and form.calendar != before.calendar:
        _set(table, "calendar", form.calendar)
    old = dict(before.figures)
    _write_rows(table, dict(form.figures), old, number=True)


def _write(table: Any, form: CommitmentForm, before: CommitmentForm) -> None:
    """Write the fields that differ, in the order of a file."""
    if form.labels != before.labels:
        _write_labels(table, dict(form.labels))
    for key in ("kind", "measure"):
        if getattr(form, key) != getattr(before, key):
            _set(table, key, getattr(form, key))
    if form.cycle != before.cycle:
        _set(table, "cycle", "" if form.cycle == "once" else form.cycle)
    starts = (form.starts_on, form.starts_any)
    if form.starts_on is not None and starts != (before.starts_on, before.starts_any):
        is_nested = form.starts_any and len(form.starts_on) > 1
        _set(table, "starts_on", [list(form.starts_on)] if is_nested else list(form.starts_on))
    for key in FACTS:
        if (facts := getattr(form, key)) is not None and list(facts) != list(getattr(before, key) or ()):
            _set(table, key, list(facts))
    if form.target_by is not None:
        _write_target(table, form, before)
    if form.calendar is not None and form.calendar != before.calendar:
        _set(table, "calendar", form.calendar)
    if form.warn_at is not None and form.warn_at != before.warn_at:
        _set(table, "warn_at", [part.strip() for part in form.warn_at.split(",") if part.strip()])


def _write_labels(table: Any, labels: Mapping[str, str]) -> None:
    if list(labels) == [""]:
        _set(table, "label", labels[""])
        return
    written = table.get("label")
    if not isinstance(written, Mapping):
        table["label"] = _inline(labels)
        return
    for code, text in labels.items():
        _set(written, code, text)


def _write_target(table: Any, form: CommitmentForm, before: CommitmentForm) -> None:
    if (form.target_by, form.target, form.targets) == (before.target_by, before.target, before.targets):
        return
    if form.target_by in (LEVEL, CONTRACT):
        table["target"] = f"{form.target_by}{form.target}"
    elif not form.target_by:
        _set(table, "target", form.target)
    else:
        otherwise = {"else": form.target} if form.target else {}
        wanted = {"by": form.target_by, **dict(form.targets), **otherwise}
        written = table.get("target")
        if isinstance(written, Table):
            _write_rows(
                written,
                wanted,
                {key: str(value) for key, value in cast("Mapping[str, Any]", written).items()},
            )
        else:
            table["target"] = _inline(wanted)


def _write_rows(
    table: Any, wanted: Mapping[str, str], before: Mapping[str, str], *, number: bool = False
) -> None:
    """Write a table of texts: what differs, without what is gone. `number`: whole numbers may be among them."""
    for key in before:
        if key not in wanted:
            table.pop(key, None)
    for key, value in wanted.items():
        if before.get(key) != value:
            table[key] = int(value) if number and value.isascii() and value.isdigit() else value


def _inline(values: Mapping[str, str]) -> Any:
    """An inline table with spaces inside its braces, as people write it."""
    keys = {key: tomlkit.key(key).as_string() for key in values}
    pairs = ", ".join(f"{keys[key]} = {tomlkit.item(value).as_string()}" for key, value in values.items())
    return tomlkit.value(f"{{ {pairs} }}")


def _set(table: Any, key: str, value: object) -> None:
    if value in ("", []):
        table.pop(key, None)
    else:
        table[key] = value
