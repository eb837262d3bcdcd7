"""The audit log: sign-ins, and what administrators did, the latest first."""

from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.flow.query.audit_log import entry_json
from app.store import audit
from app.store.audit import Action, AuditFilters, Outcome
from app.store.tickets.board import cursor_of, key_of
from app.web.http.access import Auditor, desks_for
from app.web.http.instant import InstantInQuery, InstantOut
from app.web.http.problems import problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1/audit", tags=["audit"])


class AuditEntry(BaseModel):
    """A sign-in, or an act of an administrator."""

    id: int
    at: InstantOut = Field(description="of refused sign-ins: the minute that they are counted in")
    desk: str = Field(description="`*`: every desk")
    action: Action
    who: str = Field(
        description="`user NAME`, `key ID`, `guest ID`, `command USER` or `service`", examples=["user ann"]
    )
    about: str = Field(description="what it was done to", examples=["sub_…"])
    outcome: Outcome
    note: str | None = Field(description="of a key its roles, of a version what it changes in the holidays")
    count: int = Field(description="more than 1 for refused sign-ins of one minute and address")
    request_id: str | None
    address: str | None = Field(description="the sender, or the network of an IPv6 address that was refused")


class AuditPage(BaseModel):
    """A page of the audit log, the latest entry first."""

    entries: list[AuditEntry]
    next: str | None = Field(description="the cursor of the next page; null on the last")


class AuditQuery(BaseModel):
    """Which entries: at or after `from` and before `to`."""

    model_config = ConfigDict(extra="forbid")

    desk: str | None = Field(None, description="only this desk")
    action: Action | None = None
    who: str | None = Field(None, description="as in an entry", examples=["key 3f…"])
    since: InstantInQuery | None = Field(None, alias="from")
    until: InstantInQuery | None = Field(None, alias="to")
    cursor: str | None = Field(None, description="`next` of the page before")
    limit: int | None = Field(None, ge=1, description="entries on the page")


@router.get(
    "", summary="List the audit log", response_model=AuditPage, responses=problems(401, 403, 404, 422)
)
async def list_audit(request: Request, caller: Auditor, wanted: Annotated[AuditQuery, Query()]) -> Response:
    """Sign-ins (made, refused, ended) and what administrators did, the latest first.

    An act on several desks has an entry for each. What concerns every desk, refused sign-ins included, is shown to
    administrators of every desk (`*`).
    """
    parts = running(request)
    limit = parts.settings.entries_on_page(wanted.limit)
    before: int | None = None if wanted.cursor is None else key_of(wanted.cursor, int)[0]
    filters = AuditFilters(
        desks_for(caller, wanted.desk), wanted.action, wanted.who, wanted.since, wanted.until
    )
    found, following = await parts.database.read_replicated(
        lambda conn: audit.page(conn, filters, before, limit)
    )
    answer: dict[str, Any] = {"entries": [entry_json(each) for each in found]}
    return Json(answer | {"next": None if following is None else cursor_of(following)})
