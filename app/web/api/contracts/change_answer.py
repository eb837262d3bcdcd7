"""The answer to a change of a contract: what was changed, or in a preview would be."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from app.flow.agreement.contract_preview import ContractsPreview
from app.flow.agreement.contracts import ContractPlan, PutContracts
from app.sla.agreement.agreement import Agreement
from app.sla.agreement.contract_file import remarks_of
from app.web.api.contracts.contract_view import ContractTerm, term_json
from app.web.api.desks.preview_summary import MOST_CHANGES, ChangedCredits, DueChange, contracts_summary


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


def put_json(desk: str, agreement: Agreement, done: PutContracts) -> dict[str, Any]:
    """The `ContractPut` of a change."""
    return _answer(desk, agreement, done.plans) | {
        "preview": False,
        "version": done.numbers.get(done.plans[0].key),
        "tickets": done.tickets,
        **contracts_summary(None),
    }


def previewed_json(
    desk: str, agreement: Agreement, plans: Sequence[ContractPlan], seen: ContractsPreview
) -> dict[str, Any]:
    """The `ContractPut` of a preview."""
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
        "terms": [term_json(term, agreement.currency) for term in terms],
        "remarks": [
            {"place": each.place, "text": each.text, "advice": each.advice} for each in dict.fromkeys(remarks)
        ],
    }
