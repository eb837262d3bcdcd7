"""`slatimer versions`: list a desk's versions, show one, compare two, withdraw a planned one."""

from collections.abc import Sequence
from typing import Annotated, Final

import typer
from rich.table import Table

from app.cli.opened import must_know, opened
from app.cli.terminal import failed, misused, remark, result, result_json, screen
from app.flow.agreement.apply import NoSuchVersion, NotPlanned, withdraw_planned
from app.flow.process.runtime import Runtime
from app.flow.query.serialize import instant_text
from app.flow.query.versions import (
    ListedVersion,
    Part,
    UnknownVersion,
    difference_json,
    difference_lines,
    difference_of,
    document_of,
    listed_versions,
    text_of,
    version_json,
    version_of,
)
from app.store.contracts.stored_version import StoredVersion

command = typer.Typer(add_completion=False)

_TITLES: Final = {Part.AGREEMENT: "agreement", Part.CALENDARS: "calendars"}


@command.command()
def versions(
    desk: Annotated[str, typer.Argument(help="The desk.")],
    diff: Annotated[
        tuple[int, int] | None,
        typer.Option("--diff", metavar="A B", help="What version B changes in version A, key by key."),
    ] = None,
    show: Annotated[
        int | None, typer.Option("--show", metavar="N", help="The files of a version, as written.")
    ] = None,
    withdraw: Annotated[
        int | None,
        typer.Option(
            "--withdraw", metavar="N", help="Withdraw a version that is planned and not in force yet."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """List the versions of a desk: who applied them, when, from when on they are in force, and why."""
    if sum(each is not None for each in (diff, show, withdraw)) > 1:
        misused("give one of --diff, --show and --withdraw.")
    with opened() as parts:
        must_know(parts, desk)
        if withdraw is not None:
            _withdraw(parts, desk, withdraw)
            return
        found = parts.database.read_now(lambda conn: parts.catalogue.recorded(conn, desk))
        try:
            if diff is not None:
                _diff(desk, version_of(found, diff[0]), version_of(found, diff[1]), as_json=as_json)
            elif show is not None:
                _show(desk, version_of(found, show), as_json=as_json)
            else:
                _list(listed_versions(found, parts.database.now()), as_json=as_json)
        except UnknownVersion as error:
            misused(f"{error}.")


def _withdraw(parts: Runtime, desk: str, number: int) -> None:
    try:
        found = parts.database.write_now(
            lambda conn, now: withdraw_planned(conn, now, parts.assessor, desk, number)
        )
    except (NoSuchVersion, NotPlanned) as error:
        failed(f"{error}.")
    begins = instant_text(found.version.effective_from)
    result(f"{desk}: version {number}, which was planned from {begins} on, is withdrawn")


def _list(found: Sequence[ListedVersion], *, as_json: bool) -> None:
    if as_json:
        result_json({"versions": [version_json(each) for each in found]})
        return
    table = Table(
        "version", "state", "changes", "from", "for", "applied", "by", "note", box=None, pad_edge=False
    )
    for each in reversed(found):
        stored = each.stored
        table.add_row(
            str(stored.number),
            each.state.value.replace("_", " "),
            ", ".join(each.changes) or "-",
            instant_text(stored.version.effective_from),
            stored.version.applies_to.value,
            instant_text(stored.recorded_at),
            stored.author or "-",
            "; ".join(filter(None, (stored.author_note, stored.note))) or "-",
        )
    screen().print(table)


def _show(desk: str, stored: StoredVersion, *, as_json: bool) -> None:
    if as_json:
        result_json({part.value: document_of(stored, part, desk) for part in Part})
        return
    for part in Part:
        text = text_of(stored, part, desk)
        remark(f"# {_TITLES[part]} of {desk}, version {stored.number}")
        if text is not None:
            result(text)
        elif document_of(stored, part, desk) is not None:
            remark("It was sent as JSON; --json prints it.")


def _diff(desk: str, old: StoredVersion, new: StoredVersion, *, as_json: bool) -> None:
    found = {part: difference_of(old, new, part, desk) for part in Part}
    if as_json:
        result_json({part.value: difference_json(desk, each) for part, each in found.items()})
        return
    lines = [line for each in found.values() for line in difference_lines(each)]
    for line in lines:
        result(line)
    if not lines:
        remark(f"Versions {old.number} and {new.number} state the same.")
