"""A contract's term as a document: what the database stores, and what the API answers.

Amounts are texts, dates ISO 8601: both come back exactly as they were.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from app.sla.calendar.target import Target
from app.sla.contract import Contract, Fee, FeePer
from app.sla.span import Micros


def document_of(term: Contract) -> dict[str, Any]:
    """The document of a term. Equal terms have equal documents."""
    fee = term.fee
    return {
        "id": term.id,
        "customer": term.customer,
        "services": None if term.services is None else list(term.services),
        "resources": list(term.resources),
        "plan": term.plan,
        "level": term.level,
        "fee": None if fee is None else _fee_document(fee),
        "currency": term.currency,
        "targets": {name: target.written for name, target in term.targets.items()},
        "limits": dict(term.limits),
        "calendar": term.calendar,
        "billing_day": term.billing_day,
        "valid_from": term.valid_from.isoformat(),
        "valid_to": None if term.valid_to is None else term.valid_to.isoformat(),
    }


def contract_of(document: Mapping[str, Any], *, recorded_at: Micros | None = None) -> Contract:
    """The term of a document that `document_of` has made."""
    fee, services, valid_to = document["fee"], document["services"], document["valid_to"]
    return Contract(
        id=document["id"],
        customer=document["customer"],
        valid_from=date.fromisoformat(document["valid_from"]),
        valid_to=None if valid_to is None else date.fromisoformat(valid_to),
        services=None if services is None else tuple(services),
        resources=tuple(document["resources"]),
        plan=document["plan"],
        level=document["level"],
        fee=None if fee is None else _fee_of(fee),
        currency=document["currency"],
        targets={name: Target.parse(text) for name, text in document["targets"].items()},
        limits=document.get("limits", {}),
        calendar=document["calendar"],
        billing_day=document["billing_day"],
        recorded_at=recorded_at,
    )


def _fee_document(fee: Fee) -> dict[str, Any]:
    found: dict[str, Any] = {"amount": format(fee.amount, "f"), "per": fee.per.value}
    return found | ({"term_months": fee.months} if fee.per is FeePer.TERM else {})


def _fee_of(document: Mapping[str, Any]) -> Fee:
    per = FeePer(document["per"])
    return Fee(Decimal(document["amount"]), per, document.get("term_months") or per.months)
