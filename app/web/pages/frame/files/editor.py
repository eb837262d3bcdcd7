"""The editor of a desk's file as one form: fields and text, each from the other, a preview, and applying it.

It works without scripts. A form that is sent has the text of the file, the fields, and as `base` the text from which
the fields were shown: a field that differs from the base is written into the text, so that changes of both sides are
kept. What is applied is what was previewed: a draft that has changed since is previewed again. Faults are shown with
everything as it was typed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote

from pydantic import ValidationError
from starlette.responses import PlainTextResponse, Response

from app.delivery.wording.phrases import N_
from app.flow.agreement.desk_files import FaultyFiles, FileKind
from app.flow.agreement.put import LARGEST, is_name_of_desk
from app.flow.query.versions import Part
from app.web.http.access import must_see
from app.web.http.problems import Kind, Problem, not_found
from app.web.pages.frame.files.draft import (
    Checked,
    DraftToApply,
    check,
    draft_start,
    preview,
    put_draft,
)
from app.web.pages.frame.files.effects import preview_context
from app.web.pages.frame.files.history import APPLIES_TO, zone_of
from app.web.pages.frame.files.sent import Sent, read_sent
from app.web.pages.frame.posted import REFUSED, Fault, lead_to
from app.web.pages.frame.reader import Reader
from app.web.pages.frame.room import NO_STORE, Room

_OPTIONS: Final = ("effective_from", "applies_to", "note")
_DATE: Final = N_("Write a date as 2026-12-24.")
_CANNOT_WRITE: Final = N_("The form cannot be written into this text: {place}.")


class NotEditable(ValueError):
    """The form cannot show this text or be written into it, and says at which key. The text can be edited."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A draft as it was typed. `failure`: why the fields could not be written into the text, at which key.

    `options`: how it is to be put into force; `faults`: phrases by the option that they are about.
    """

    text: str
    base: str
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    faults: Mapping[str, str] = field(default_factory=dict[str, str])
    failure: str | None = None
    sent: Sent | None = None
    draft: DraftToApply | None = None


FormContext = Callable[[Reader, str, Checked, Typed], Awaitable[dict[str, Any]]]
Action = Callable[[Reader, str, Typed], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Editor:
    """One of the two editors. `written`: the text of a form with its fields, raises NotEditable. `context`: what the
    template of its fields shows. `actions`: further buttons by their values."""

    room: Room
    kind: FileKind
    part: Part
    path: str
    starter: Callable[[Reader, str], Awaitable[str]]
    written: Callable[[Sent], str]
    context: FormContext
    actions: Mapping[str, Action] = field(default_factory=dict[str, Action])


async def open_editor(editor: Editor, reader: Reader, desk: str) -> Response:
    """The editor with the text in force, else with an example."""
    text = await draft_start(reader, editor.part, desk) or await editor.starter(reader, desk)
    return await show_editor(editor, reader, desk, Typed(text, text))


async def receive_editor(editor: Editor, reader: Reader, desk: str) -> Response:
    """What the buttons of the form do: write the fields into the text, preview, apply."""
    sent = await _sent(reader, desk)
    typed = await asyncio.to_thread(_typed, editor, sent)
    action = sent.one("action")
    if typed.failure is not None or (typed.draft is None and action):
        return await show_editor(editor, reader, desk, typed, refused=True)
    if action in editor.actions:
        return await editor.actions[action](reader, desk, typed)
    if action not in ("preview", "apply") or typed.draft is None:
        return await show_editor(editor, reader, desk, typed)
    try:
        if action == "apply" and sent.one("previewed") == mark_of(typed.draft):
            done = await put_draft(reader, editor.kind, desk, typed.draft)
            return lead_to(reader, f"{editor.path}/{quote(desk, safe='')}?applied={done.number}")
        found = await previewed(editor, reader, desk, typed.draft)
    except FaultyFiles as error:
        return await show_editor(editor, reader, desk, typed, faulty=error, refused=True)
    return await show_editor(editor, reader, desk, typed, found=found)


async def receive_text(editor: Editor, reader: Reader, desk: str) -> Response:
    """The text with the fields of the form, for the script. Raises Problem."""
    typed = await asyncio.to_thread(_typed, editor, await _sent(reader, desk))
    if typed.failure is not None:
        raise Problem(Kind.INVALID, f"The form cannot be written into this text: {typed.failure}.")
    return PlainTextResponse(typed.text, headers=NO_STORE)


async def previewed(editor: Editor, reader: Reader, desk: str, draft: DraftToApply) -> dict[str, Any]:
    """What the template of a preview shows. Raises FaultyFiles."""
    outcome = await preview(reader, editor.kind, desk, draft)
    found = preview_context(editor.room.words(reader), outcome, await zone_of(reader, desk), reader)
    return found | {"mark": mark_of(draft)}


async def show_editor(
    editor: Editor,
    reader: Reader,
    desk: str,
    typed: Typed,
    *,
    faulty: FaultyFiles | None = None,
    found: Mapping[str, Any] | None = None,
    refused: bool = False,
) -> Response:
    """The page. `faulty`: faults that a check does not find; `found`: what the draft would change."""
    checked = await check(reader, editor.kind, desk, typed.text)
    if faulty is not None and not checked.faults:
        checked = Checked(checked.file, faulty.faults, checked.remarks)
    context = {
        "text": typed.text,
        "base_text": typed.base if typed.failure else typed.text,
        "options": {name: typed.options.get(name, "") for name in _OPTIONS},
        "option_faults": typed.faults,
        "choices": APPLIES_TO,
        "failure": typed.failure and editor.room.words(reader).say(_CANNOT_WRITE, place=typed.failure),
        "is_previewed": "versions" in (found or {}),
        **await editor.context(reader, desk, checked, typed),
        **(found or {}),
    }
    answer = editor.room.page(reader, "edit.html", desk=desk, **context)
    if refused:
        answer.status_code = REFUSED
    return answer


def mark_of(draft: DraftToApply) -> str:
    """A mark of what a preview was of: its text, from when on, and for which tickets."""
    what = f"{draft.applies_to} {draft.effective_from}\n{draft.text}"
    return sha256(what.encode()).hexdigest()[:32]


async def _sent(reader: Reader, desk: str) -> Sent:
    must_see(reader.caller, desk)
    if not is_name_of_desk(desk):
        raise not_found("desk", desk)
    return await read_sent(reader.request)


def _typed(editor: Editor, sent: Sent) -> Typed:
    """A form as it was sent: its fields written into its text, if that is possible. Raises Problem."""
    text, failure = sent.text("text"), None
    try:
        text = editor.written(sent)
    except NotEditable as error:
        failure = str(error)
    if len(text) > LARGEST:
        raise Problem(Kind.TOO_LARGE, f"A document of {len(text)} characters is longer than {LARGEST}.")
    options = {name: sent.one(name) for name in _OPTIONS}
    faults: dict[str, str] = {}
    try:
        draft = DraftToApply.model_validate(
            {"text": text} | {name: value for name, value in options.items() if value}
        )
    except ValidationError as error:
        draft, places = None, {str(each["loc"][0]) for each in error.errors()}
        faults = {name: Fault.TOO_LONG if name == "note" else _DATE for name in places}
    return Typed(text, sent.text("base"), options, faults, failure, sent, draft)
