"""Versions of a desk as they are answered: their fields, and the query that selects one by time."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.flow.query.serialize import instant_text
from app.flow.query.versions import NoVersionKnown, Part, version_at
from app.sla.agreement.version import AppliesTo
from app.sla.document.difference import ChangeKind
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue, UnknownDesk
from app.store.contracts.stored_version import StoredVersion, VersionState
from app.store.engine.database import Connection
from app.web.http.instant import InstantInQuery, InstantOut
from app.web.http.problems import Kind, Place, Problem, invalid, not_found


class VersionView(BaseModel):
    """One version of a desk, which holds its agreement and its calendars: from when it is in force, and for which
    tickets."""

    number: int
    state: VersionState = Field(description="as of now")
    changes: list[Part] = Field(
        description="the documents in which it differs from the version that it follows"
    )
    applied_at: InstantOut = Field(description="the same as `recorded_at`")
    recorded_at: InstantOut = Field(
        description="when it was stored; a view as of an earlier instant ignores it"
    )
    effective_from: InstantOut = Field(description="tickets created from this instant on are evaluated by it")
    applies_to: AppliesTo
    who: str | None = Field(
        description="who applied it, as in the audit log; null in versions of release 0.1",
        examples=["key key_8c6f0d2b9a1e", "command ann"],
    )
    digest: str = Field(description="equal for equal documents")
    note: str | None = Field(
        description="what its author says, else what it changes in the holidays",
        examples=["the contract of 2026"],
    )
    holiday_changes: str | None = Field(
        description="what it changes in the holidays",
        examples=["holidays 0.112: NL 2026-05-05 added: Liberation Day"],
    )
    withdrawn_at: InstantOut | None = Field(description="when it was taken back before it was in force")
    withdrawn_by: str | None
    replaced_by: int | None = Field(description="the version that took its place before it was in force")


class VersionList(BaseModel):
    """The versions of a desk, by number."""

    desk: str
    versions: list[VersionView]


class VersionDetail(VersionView):
    """A version with one of its documents. `text` is the file with its comments, if it was applied from a file."""

    document: dict[str, Any] | None
    text: str | None


class ChangedKey(BaseModel):
    """A key in which two documents differ."""

    key: str = Field(examples=["commitments.gti.target"])
    change: ChangeKind
    old: Any = Field(examples=["4h"])
    new: Any = Field(examples=["8h"])
    text: str = Field(examples=['commitments.gti.target: "4h" -> "8h"'])


class ChangedHoliday(BaseModel):
    """A holiday in which the stored holidays of two versions differ."""

    date: str = Field(examples=["2026-05-05"])
    name: str = Field(examples=["Liberation Day"])
    change: Literal["added", "removed", "renamed"]
    holidays: str = Field(description="the set of holidays", examples=["NL public"])


class VersionDiff(BaseModel):
    """What differs between two versions of a document. Layout does not matter."""

    model_config = ConfigDict(populate_by_name=True)

    desk: str
    since: int = Field(alias="from")
    to: int
    changes: list[ChangedKey]
    holidays: list[ChangedHoliday] = Field(description="of calendars: what another `holidays` package brings")


class DiffQuestion(BaseModel):
    """Which two versions are compared."""

    model_config = ConfigDict(extra="forbid")

    since: int = Field(alias="from", ge=1, examples=[1])
    to: int = Field(ge=1, examples=[2])


class WhichVersion(BaseModel):
    """The version in force at an instant, by what was known at another."""

    model_config = ConfigDict(extra="forbid")

    at: InstantInQuery | None = Field(None, description="in force then, ahead too; default `as_of`")
    as_of: InstantInQuery | None = Field(None, description="by what was known then; default now")


def selected(
    conn: Connection, catalogue: Catalogue, desk: str, now: Micros, wanted: WhichVersion
) -> tuple[StoredVersion, list[StoredVersion]]:
    """The version that a query selects, and those known by then. Raises Problem."""
    if wanted.as_of is not None and wanted.as_of > now:
        reason = f"is after now, {instant_text(now)}. Ask with at instead"
        raise invalid([Place("query", "as_of", reason)])
    try:
        return version_at(conn, catalogue, desk, now, wanted.at, wanted.as_of)
    except UnknownDesk as error:
        raise not_found("desk", desk) from error
    except NoVersionKnown as error:
        raise Problem(Kind.NOTHING_KNOWN, f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
