"""A contract with its terms as the API shows it. Money is written as text, dates are local dates of the desk."""

from datetime import date
from typing import Annotated, Any

from fastapi import Path
from pydantic import AfterValidator, BaseModel, Field

from app.flow.query.contracts import CustomerContract
from app.sla.contract import Contract
from app.sla.contract_document import document_of
from app.web.http.encoded_slash import with_slashes

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


def view_json(found: CustomerContract, on: date) -> dict[str, Any]:
    """A `ContractView`. `valid` is the term that is valid on this date."""
    valid = found.on(on)
    return {
        "desk": found.desk,
        "id": found.id,
        "customer": found.terms[-1].customer,
        "source": "agreement" if found.number is None else "stored",
        "version": found.number,
        "valid": None if valid is None else term_json(valid, found.currency),
        "terms": [term_json(term, found.currency) for term in found.terms],
    }


def term_json(term: Contract, currency: str | None) -> dict[str, Any]:
    """A `ContractTerm`, in this currency where it names none."""
    return document_of(term) | {"currency": term.currency or currency}
