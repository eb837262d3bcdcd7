"""What a customer's contract gives its tickets, at the desks whose texts leave it to the contract."""

from typing import Any

import pytest

from app.flow.query.reasons import text
from app.sla.agreement.contract_file import parse_contract
from app.sla.clock.evaluation import Evaluation, Version, evaluate
from app.sla.contract_finder import StoredContracts
from tests.stories.story import Story, shipped


def judged(story: Story, at: str, *contracts: dict[str, Any]) -> Evaluation:
    terms = tuple(parse_contract({"valid_from": "2026-01-01"} | each, story.agreement) for each in contracts)
    stored = StoredContracts(terms, exist=bool(terms))
    return evaluate(story.events, [Version(1, story.agreement, 0)], story.instant(at), contracts=stored)


def reasons(found: Evaluation) -> dict[str, str]:
    return {name: text(reason) for name, reason in found.not_applicable}


@pytest.mark.parametrize(("level", "target"), [("example-1", "4h"), ("example-2", "2h")])
def test_phpnet_the_level_of_the_contract_is_the_target_of_the_intervention(level: str, target: str) -> None:
    """Article 2: "selon le niveau d'Infogérance choisi par le Client"."""
    story = Story("phpnet").created("2026-03-05 10:00", customer="Mairie de Valoire", category="software")
    story.fact("call.registered", "2026-03-05 10:05")
    contract = {"id": "P-1", "customer": "mairie de valoire", "level": level}
    found = judged(story, "2026-03-05 10:05", contract)
    assert [clock.target for clock in found.clocks if clock.commitment == "gti"] == [target]
    assert found.ticket.fields["contract"] == "P-1"


def test_phpnet_a_contract_without_a_level_has_no_target_and_the_reason() -> None:
    story = Story("phpnet").created("2026-03-05 10:00", customer="Ski Location", category="software")
    found = judged(story, "2026-03-05 10:00", {"id": "P-2", "customer": "Ski Location"})
    assert not [clock for clock in found.clocks if clock.commitment == "gti"]
    assert "level" in reasons(found)["gti"]


def test_webxtra_the_response_of_a_managed_plan_is_the_contracts() -> None:
    """ "een persoonlijk hostingplan": the figure is the contract's, and so is the plan."""
    story = Story("webxtra").created("2026-04-02 10:00", customer="Bakkerij Smit")
    contract = {
        "id": "C-1001",
        "customer": "Bakkerij Smit",
        "plan": "managed",
        "targets": {"managed-response": "4h"},
    }
    found = judged(story, "2026-04-02 10:00", contract)
    (clock,) = [clock for clock in found.clocks if clock.commitment == "managed-response"]
    assert clock.target == "4h"


def test_webxtra_a_managed_plan_without_a_figure_has_no_clock_and_the_reason() -> None:
    story = Story("webxtra").created("2026-04-02 10:00", customer="Bakkerij Smit")
    found = judged(
        story, "2026-04-02 10:00", {"id": "C-1001", "customer": "Bakkerij Smit", "plan": "managed"}
    )
    assert not [clock for clock in found.clocks if clock.commitment == "managed-response"]
    assert reasons(found)["managed-response"] == "no contract value for managed-response"


def test_hvn_a_prepaid_year_of_1200000_is_100000_a_month() -> None:
    contract = parse_contract(
        {
            "id": "V-1",
            "customer": "Cà phê Sáng",
            "valid_from": "2026-01-01",
            "fee": {"amount": "1200000", "per": "term", "term_months": 12},
        },
        shipped("hvn"),
    )
    assert contract.fee is not None
    assert contract.fee.monthly == 100_000
