"""Contracts of customers: list, detail, versions, and PUT.

A contract has terms, each known by its first date. Money is written as text, dates are local dates of the desk.
"""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Final, cast

from fastapi import Body, Path, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.flow.agreement import contracts
from app.flow.agreement.contract_preview import ContractsPreview
from app.flow.agreement.contracts import ContractPlan, CreditsRecorded, FaultyContracts, PutContracts, Stated
from app.flow.agreement.effects import Effects
from app.flow.agreement.limits import limits_of
from app.flow.query.contracts import (
    CustomerContract,
    agreement_known,
    contracts_of,
    local_date,
    versions_of,
)
from app.flow.query.contracts import contract as one_contract
from app.flow.query.serialize import instant_text
from app.sla.agreement.agreement import Agreement
from app.sla.agreement.contract_file import remarks_of
from app.sla.contract import Contract
from app.sla.contract_document import document_of
from app.sla.span import Micros, length_of
from app.store.contracts.contracts import RecordedTerm
from app.store.engine.database import Connection
from app.store.engine.notify import Announcement
from app.store.tickets.board import cursor_of, key_of
from app.web.api.contracts.faults import invalid_contracts
from app.web.api.desks.desk_document import MOST_CHANGES
from app.web.api.desks.preview_summary import ChangedCredits, DueChange, contracts_summary
from app.web.http.access import Configurer, Viewer, desks_for, must_see
from app.web.http.encoded_slash import with_slashes
from app.web.http.instant import InstantInQuery, InstantOut
from app.web.http.problems import Kind, Place, Problem, invalid, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import WebRuntime, running

router = Router(prefix="/v1/contracts", tags=["contracts"])

Desk = Annotated[str, Path(description="the desk", examples=["hvn"])]
ContractId = Annotated[
    str,
    AfterValidator(with_slashes),
    Path(description="the contract's id; a slash in it is written as %2F", examples=["C-1001"]),
]


class Fee(BaseModel):
    """What a term costs. A yearly fee counts a twelfth a month, that of a term its amount by `term_months`."""

    amount: str = Field(examples=["1200000"])
    per: str = Field(description="`month`, `year` or `term`", examples=["term"])
    term_months: int | None = Field(None, description="with `term` only: the months that the amount pays for")


class ContractTerm(BaseModel):
    """One term of a contract."""

    id: str = Field(examples=["C-1001"])
    customer: str | None = Field(examples=["Acme"])
    services: list[str] | None = Field(description="null: all that the agreement names")
    resources: list[str] = Field(description="hosts, servers and domains as outages name them")
    plan: str | None
    level: str | None
    fee: Fee | None
    currency: str | None = Field(description="the agreement's where the term names none", examples=["VND"])
    targets: dict[str, str] = Field(
        description='values for commitments with the target `"contract:NAME"`', examples=[{"response": "4h"}]
    )
    calendar: str | None = Field(examples=["webxtra/desk"])
    billing_day: int | None
    valid_from: date = Field(description="first local date; 0001-01-01 where the agreement file gives none")
    valid_to: date | None = Field(description="first local date on which it is no longer valid; null: open")


class ContractView(BaseModel):
    """A contract with all its terms, by their first dates."""

    desk: str
    id: str = Field(examples=["C-1001"])
    customer: str | None = Field(description="the latest term's")
    source: str = Field(description="`stored`, or `agreement` for one of the agreement file")
    version: int | None = Field(description="null for one of the agreement file")
    valid: ContractTerm | None = Field(description="the term that is valid at the instant of the query")
    terms: list[ContractTerm]


class ContractPage(BaseModel):
    """A page of contracts, by desk and id."""

    contracts: list[ContractView]
    next: str | None = Field(description="the cursor of the next page; null on the last")


class ContractVersion(BaseModel):
    """What one version of a contract states about one term."""

    number: int
    recorded_at: InstantOut
    recorded_by: str = Field(examples=["key 3f…"])
    note: str | None
    valid_from: date
    term: ContractTerm | None = Field(description="null: the version has taken the term back")


class ContractVersions(BaseModel):
    """Every change of a stored contract, the oldest first."""

    desk: str
    id: str
    versions: list[ContractVersion]


class ContractRemark(BaseModel):
    """What is allowed in a contract and seldom meant. It refuses nothing."""

    place: str = Field(examples=["targets.respons"])
    text: str
    advice: str


class ContractPut(BaseModel):
    """What was changed, or in a preview would be."""

    desk: str
    id: str
    preview: bool
    changed: bool = Field(description="false when all of it is in force already")
    version: int | None = Field(
        description="the contract's new version; null in a preview or without a change"
    )
    tickets: int | None = Field(description="how many are evaluated again because of it; null in a preview")
    terms: list[ContractTerm] = Field(description="all terms afterwards")
    changes: list[DueChange] | None = Field(
        description=f"in a preview the first {MOST_CHANGES:,} due dates of tickets that would move, else null"
    )
    changes_in_all: int | None = Field(description="in a preview, how many there are; else null")
    late_added: int | None = Field(description="in a preview, clocks that would be late; else null")
    late_removed: int | None = Field(
        description="in a preview, clocks that would not be late any more; else null"
    )
    closed_tickets: list[str] | None = Field(
        None,
        description="in a preview, closed tickets of which a breach would appear or fall away, the first "
        f"{MOST_CHANGES:,}; else null",
    )
    closed_tickets_in_all: int | None = Field(None, description="in a preview, how many there are; else null")
    sentence: str | None = Field(
        None,
        description="in a preview, all of it in words; else null",
        examples=["1 due date moves by 2 h later."],
    )
    complete: bool | None = Field(
        None, description="in a preview, false where the time budget did not suffice; else null"
    )
    credits: list[ChangedCredits] | None = Field(
        description="in a preview, the currencies in which another sum is credited, for the contract and the others of"
        " its customers, as `GET /v1/credits` adds them up; else null"
    )
    remarks: list[ContractRemark]


class ContractQuery(BaseModel):
    """Which contracts."""

    model_config = ConfigDict(extra="forbid")

    desk: str | None = None
    customer: str | None = Field(None, description="compared without case")
    at: InstantInQuery | None = Field(None, description="only those that are valid then")
    as_of: InstantInQuery | None = Field(None, description="by what was recorded then; default now")
    cursor: str | None = Field(None, description="`next` of the page before")
    limit: int | None = Field(None, ge=1, description="entries on the page")


class WhenContract(BaseModel):
    """At which instant, by which knowledge."""

    model_config = ConfigDict(extra="forbid")

    at: InstantInQuery | None = Field(None, description="which term is `valid`; default now")
    as_of: InstantInQuery | None = Field(None, description="by what was recorded then; default now")


class PutContractQuery(BaseModel):
    """Whether to write, and why."""

    model_config = ConfigDict(extra="forbid")

    preview: bool = Field(False, description="show what would change, and write nothing")
    note: str | None = Field(None, max_length=500, description="why, for the record")


class TakeBackQuery(BaseModel):
    """Which term, and why."""

    model_config = ConfigDict(extra="forbid")

    valid_from: date = Field(description="the first date of the term")
    note: str | None = Field(None, max_length=500, description="why, for the record")


@router.get("", summary="List contracts", response_model=ContractPage, responses=problems(401, 403, 404, 422))
async def list_contracts(
    request: Request, caller: Viewer, wanted: Annotated[ContractQuery, Query()]
) -> Response:
    """Contracts by desk and id, also those of agreement files. Without `desk`, those of all desks of the key."""
    parts = running(request)
    limit = min(wanted.limit or parts.settings.page_size, parts.settings.max_page_size)
    asked = desks_for(caller, wanted.desk)
    first, after = ("", "") if wanted.cursor is None else key_of(wanted.cursor, str, str)
    now = parts.database.now()
    at, as_of = now if wanted.at is None else wanted.at, wanted.as_of

    def find(conn: Connection) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for desk in sorted(parts.catalogue.desks(conn)):
            if desk < first or not (caller.sees(desk) and ("*" in asked or desk in asked)):
                continue
            on = local_date(agreement_known(conn, parts.catalogue, desk, as_of, at=at), at)
            page = contracts_of(
                conn,
                parts.catalogue,
                desk,
                customer=wanted.customer,
                on=None if wanted.at is None else on,
                at=at,
                as_of=as_of,
                after=after if desk == first else "",
                limit=limit + 1 - len(found),
            )
            found += [_view(each, on) | {"_key": each.key} for each in page]
            if len(found) > limit:
                break
        return found

    found = await parts.database.read_replicated(find)
    following = cursor_of(found[limit - 1]["desk"], found[limit - 1]["_key"]) if len(found) > limit else None
    shown = [{name: value for name, value in each.items() if name != "_key"} for each in found[:limit]]
    return Json({"contracts": shown, "next": following})


@router.get(
    "/{desk}/{contract}",
    summary="One contract",
    operation_id="show_contract",
    response_model=ContractView,
    responses=problems(401, 403, 404, 422),
)
async def show_contract(
    request: Request,
    caller: Viewer,
    desk: Desk,
    contract: ContractId,
    wanted: Annotated[WhenContract, Query()],
) -> Response:
    """A contract with all its terms, and the one that is valid."""
    parts = running(request)
    must_see(caller, desk)
    at = parts.database.now() if wanted.at is None else wanted.at

    def find(conn: Connection) -> dict[str, Any]:
        found = one_contract(conn, parts.catalogue, desk, contract, at=at, as_of=wanted.as_of)
        agreement = agreement_known(conn, parts.catalogue, desk, wanted.as_of, at=at)
        return _view(found, local_date(agreement, at))

    return Json(await parts.database.read(find))


@router.get(
    "/{desk}/{contract}/versions",
    summary="The versions of a contract",
    operation_id="list_contract_versions",
    response_model=ContractVersions,
    responses=problems(401, 403, 404, 422),
)
async def list_versions(request: Request, caller: Viewer, desk: Desk, contract: ContractId) -> Response:
    """Every change of the contract: which term, who and when. Empty for one of the agreement file."""
    parts = running(request)
    must_see(caller, desk)

    def find(conn: Connection) -> tuple[str, list[RecordedTerm]]:
        recorded = versions_of(conn, desk, contract)
        if recorded:
            terms = [each.term.id for each in recorded if each.term is not None]
            return terms[-1], recorded
        now = parts.database.now()
        return one_contract(conn, parts.catalogue, desk, contract, at=now).id, []

    name, recorded = await parts.database.read(find)
    return Json({"desk": desk, "id": name, "versions": [_version(each) for each in recorded]})


_EXAMPLE: Final = {
    "customer": "Acme",
    "level": "gold",
    "fee": {"amount": "49.90", "per": "month"},
    "currency": "EUR",
    "valid_from": "2026-01-01",
}


@router.put(
    "/{desk}/{contract}",
    summary="Put a contract",
    operation_id="put_contract",
    response_model=ContractPut,
    responses=problems(400, 401, 403, 404, 413, 415, 422, 503),
)
async def put_contract(
    request: Request,
    caller: Configurer,
    desk: Desk,
    contract: ContractId,
    asked: Annotated[PutContractQuery, Query()],
    body: Annotated[dict[str, Any], Body(examples=[_EXAMPLE])],
) -> Response:
    """Takes one term, or several as `{"terms": […]}`. A term is known by its `valid_from`.

    The same `valid_from` replaces that term: with a `valid_to` it ends there. Another `valid_from` adds a term. Terms
    must not overlap. Terms that are not named stay. Every change is a version with who and when.
    """
    parts = running(request)
    must_see(caller, desk)
    documents = _documents(contract, body)
    limits, wait = limits_of(parts.settings), length_of(parts.settings.notification_group_wait)

    def stated(conn: Connection, now: Micros) -> tuple[Agreement, list[Stated]]:
        agreement = agreement_known(conn, parts.catalogue, desk, None, at=now)
        found, faults = contracts.read_terms(documents, agreement, limits)
        if faults:
            raise FaultyContracts(faults)
        return agreement, found

    def preview(conn: Connection) -> dict[str, Any]:
        now = parts.database.now()
        agreement, found = stated(conn, now)
        seen = ContractsPreview(Effects(MOST_CHANGES), parts.settings.preview_time_budget.total_seconds())
        plans = seen.add(conn, now, parts.catalogue, desk, found)
        return _previewed(desk, agreement, plans, seen)

    def put(conn: Connection, now: Micros) -> tuple[Agreement, PutContracts]:
        agreement, found = stated(conn, now)
        return agreement, contracts.put_terms(conn, now, desk, found, notice_wait=wait, note=asked.note)

    try:
        if asked.preview:
            return Json(await parts.database.read_long(preview))
        agreement, done = await parts.database.write(put)
    except FaultyContracts as error:
        raise invalid_contracts(error) from error
    _wake(parts, done)
    return Json(_put(desk, agreement, done))


@router.delete(
    "/{desk}/{contract}",
    summary="Take a term of a contract back",
    operation_id="take_back_contract_term",
    response_model=ContractPut,
    responses=problems(401, 403, 404, 409, 422, 503),
)
async def take_back(
    request: Request,
    caller: Configurer,
    desk: Desk,
    contract: ContractId,
    asked: Annotated[TakeBackQuery, Query()],
) -> Response:
    """For a term that was entered in error: from now on it never counted. It stays among the versions.

    A term that ends is put again with its `valid_to`. The only term of a contract with recorded credits is not taken
    back (409): no list would have these any more.
    """
    parts = running(request)
    must_see(caller, desk)
    wait = length_of(parts.settings.notification_group_wait)

    def work(conn: Connection, now: Micros) -> tuple[Agreement, PutContracts]:
        agreement = agreement_known(conn, parts.catalogue, desk, None, at=now)
        return agreement, contracts.take_back(
            conn, now, desk, contract, asked.valid_from, notice_wait=wait, note=asked.note
        )

    try:
        agreement, done = await parts.database.write(work)
    except CreditsRecorded as error:
        raise Problem(Kind.CONFLICT, f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    _wake(parts, done)
    return Json(_put(desk, agreement, done))


def _documents(contract_id: str, body: dict[str, Any]) -> list[tuple[str, dict[str, object]]]:
    """The terms of a body, each with its JSON pointer, and with the id of the address."""
    listed = body.get("terms")
    if listed is None:
        return [("", _with_id(contract_id, body, "/id"))]
    if set(body) - {"terms", "id"} or not isinstance(listed, list) or not listed:
        raise invalid([Place("body", "/terms", "must be a list of terms, without other keys beside it")])
    found: list[tuple[str, dict[str, object]]] = []
    for n, each in enumerate(cast("list[object]", listed)):
        if not isinstance(each, dict):
            raise invalid([Place("body", f"/terms/{n}", "is not an object")])
        term = cast("dict[str, Any]", each)
        found.append((f"/terms/{n}", _with_id(contract_id, term, f"/terms/{n}/id")))
    return found


def _with_id(contract_id: str, document: dict[str, Any], place: str) -> dict[str, object]:
    given = document.get("id", contract_id)
    if not isinstance(given, str) or given.strip().casefold() != contract_id.strip().casefold():
        raise invalid([Place("body", place, f"is not the contract of the address, {contract_id!r}")])
    return {**document, "id": contract_id}


def _wake(parts: WebRuntime, done: PutContracts) -> None:
    if done.numbers:
        parts.sweeper.on_announcement(Announcement(None, parts.database.now()))


def _view(found: CustomerContract, on: date) -> dict[str, Any]:
    valid = found.on(on)
    return {
        "desk": found.desk,
        "id": found.id,
        "customer": found.terms[-1].customer,
        "source": "agreement" if found.number is None else "stored",
        "version": found.number,
        "valid": None if valid is None else _term(valid, found.currency),
        "terms": [_term(term, found.currency) for term in found.terms],
    }


def _term(term: Contract, currency: str | None) -> dict[str, Any]:
    return document_of(term) | {"currency": term.currency or currency}


def _version(recorded: RecordedTerm) -> dict[str, Any]:
    return {
        "number": recorded.number,
        "recorded_at": instant_text(recorded.recorded_at),
        "recorded_by": recorded.recorded_by,
        "note": recorded.note,
        "valid_from": recorded.valid_from.isoformat(),
        "term": None if recorded.term is None else document_of(recorded.term),
    }


def _put(desk: str, agreement: Agreement, done: PutContracts) -> dict[str, Any]:
    return _answer(desk, agreement, done.plans) | {
        "preview": False,
        "version": done.numbers.get(done.plans[0].key),
        "tickets": done.tickets,
        **contracts_summary(None),
    }


def _previewed(
    desk: str, agreement: Agreement, plans: Sequence[ContractPlan], seen: ContractsPreview
) -> dict[str, Any]:
    return _answer(desk, agreement, plans) | {
        "preview": True,
        "version": None,
        "tickets": None,
        **contracts_summary(seen),
    }


def _answer(desk: str, agreement: Agreement, plans: Sequence[ContractPlan]) -> dict[str, Any]:
    plan = plans[0]
    terms = [term for _, term in sorted(plan.after.items())]
    remarks = [remark for term in terms for remark in remarks_of(term, agreement)]
    return {
        "desk": desk,
        "id": plan.id,
        "changed": bool(plan.changes),
        "terms": [_term(term, agreement.currency) for term in terms],
        "remarks": [
            {"place": each.place, "text": each.text, "advice": each.advice} for each in dict.fromkeys(remarks)
        ],
    }
