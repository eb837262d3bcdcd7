"""What becomes of a credit: deadlines to the microsecond, claims about something or nothing, answers, grants by hand."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from app.sla.agreement.version import Version
from app.sla.credit.cause import Incident, MissedClock
from app.sla.credit.claim import facts_of
from app.sla.credit.line import Line, LineKey, UnknownCredit
from app.sla.credit.lines import ContractCredits
from app.sla.credit.statement import ChargeLine, Statement
from app.sla.event import Event
from app.sla.span import HOUR
from tests.sla.credits import agreement, at, contract, down, fact, lines, uptime
from tests.sla.test_credit_amounts import HAISOFT, HALF, HVN, TIME_SHARE, missed, only

ON_CLAIM = HVN + 'owed = "on_claim"\nclaim_within = "claim-in-3-months"\nas = "account"'
VERIFIED = ON_CLAIM.replace("claim-in-3-months", "claim-filing")
UNKNOWN = 'for = "uptime"\nrule = "unknown"\nowed = "on_claim"\nclaim_within = "claim-filing"'
ID = "acme.credit.C-1.2026-11"
DECEMBER = at("2026-12-01T00:00")


def incident(start: str = "2026-11-20T10:00", verified: str | None = None, zone: str = "UTC") -> Incident:
    started_at = at(start, zone)
    verified_at = None if verified is None else at(verified, zone)
    return Incident(started_at, started_at + HOUR, verified_at, ("out-1",))


NOVEMBER = down(60, incidents=[incident()])


def state(of: str, *facts: Event, by: str = "2027-06-01T00:00", **more: object) -> str:
    cause = more.get("cause", NOVEMBER)
    assert isinstance(cause, type(NOVEMBER) | MissedClock)
    return only(lines(agreement(of), cause, facts=facts, by=at(by))).state.value


@pytest.mark.parametrize(
    ("by", "expected"), [("2026-11-30T23:59:59.999999", "accruing"), ("2026-12-01T00:00", "owed")]
)
def test_a_period_accrues_until_it_is_over(by: str, expected: str) -> None:
    cause = replace(NOVEMBER, breached_at=at("2026-11-20T10:44"))
    assert state(HAISOFT, by=by, cause=cause) == expected


def test_a_period_that_is_not_broken_yet_has_no_line() -> None:
    cause = replace(NOVEMBER, breached_at=at("2026-11-20T10:44"))
    assert lines(agreement(HAISOFT), cause, by=at("2026-11-20T10:43")) == []


def test_an_accruing_line_wakes_at_the_end_of_its_period_and_a_claimable_one_at_its_deadline() -> None:
    accruing = only(lines(agreement(ON_CLAIM), NOVEMBER, by=at("2026-11-25T00:00")))
    claimable = only(lines(agreement(ON_CLAIM), NOVEMBER, by=DECEMBER))
    assert (accruing.next_at, claimable.next_at) == (DECEMBER, at("2027-02-21T00:00"))
    assert only(lines(agreement(HAISOFT), NOVEMBER, by=DECEMBER)).next_at is None


# Three months after 20 November end with 20 February.
@pytest.mark.parametrize(
    ("filed", "expected"),
    [
        ("2027-02-20T23:59:59.999999", "claimed"),
        ("2027-02-21T00:00:00", "lapsed"),
    ],
)
def test_a_claim_counts_before_its_deadline_and_not_at_it(filed: str, expected: str) -> None:
    assert state(ON_CLAIM, fact("claim.filed", filed)) == expected


@pytest.mark.parametrize(
    ("filed", "expected"), [("2026-11-28T23:59:59", "claimed"), ("2026-11-29T00:00:00", "lapsed")]
)
def test_a_claim_runs_from_the_verification_to_the_end_of_its_seventh_day(filed: str, expected: str) -> None:
    zone = "Europe/Rome"
    cause = down(60, zone=zone, incidents=[incident(verified="2026-11-21T09:00", zone=zone)])
    found = lines(agreement(UNKNOWN, zone=zone), cause, facts=[fact("claim.filed", filed, zone=zone)])
    assert (only(found).state, only(found).amount) == (expected, None)
    assert only(found).about.claim_by == at("2026-11-29T00:00", zone)


def test_without_a_verification_no_time_to_claim_runs() -> None:
    line = only(lines(agreement(VERIFIED), NOVEMBER))
    assert (line.state, line.about.claim_by, line.next_at) == ("claimable", None, None)


def test_the_last_outage_of_a_period_decides_until_when_it_can_be_claimed() -> None:
    cause = down(30, 40, incidents=[incident("2026-11-02T10:00"), incident("2026-11-25T10:00")])
    assert only(lines(agreement(ON_CLAIM), cause)).about.claim_by == at("2027-02-26T00:00")


def test_what_must_be_claimed_within_its_period_is_claimable_before_that_is_over() -> None:
    breached_at = at("2026-11-02T11:00")
    cause = replace(
        down(60, incidents=[incident("2026-11-02T10:00", "2026-11-02T12:00")]), breached_at=breached_at
    )
    line = only(lines(agreement(VERIFIED), cause, by=breached_at))
    assert (line.state, line.next_at) == ("claimable", at("2026-11-10T00:00"))
    assert state(VERIFIED, cause=cause, by="2026-11-10T00:00") == "lapsed"


def test_a_claim_within_the_period_is_a_claim_at_once() -> None:
    filed = fact("claim.filed", "2026-11-22T10:00")
    assert state(ON_CLAIM, filed, by="2026-11-22T10:00") == "claimed"
    assert state(ON_CLAIM, filed, by="2026-11-22T09:59") == "accruing"


@pytest.mark.parametrize(
    ("about", "claims"),
    [
        (None, True),
        ({"availability": "uptime"}, True),
        ({"period": "2026-11"}, True),
        ({"credit": ID}, True),
        ({"availability": "uptime", "period": "2026-10"}, False),
        ({"commitment": "uptime"}, False),
        ({"ticket": "7"}, False),
        ({"anything": "else"}, False),
        ("uptime", False),
    ],
)
def test_a_claim_may_say_what_it_is_about(about: object, claims: bool) -> None:
    filed = fact("claim.filed", "2026-12-03T10:00", about=about)
    assert state(ON_CLAIM, filed) == ("claimed" if claims else "lapsed")


def test_a_claim_may_name_the_service_whatever_its_case() -> None:
    cause = replace(NOVEMBER, service="Email Server")
    for service, expected in (("email server", "claimed"), ("hosting", "lapsed")):
        assert state(
            ON_CLAIM, fact("claim.filed", "2026-12-03T10:00", about={"service": service}), cause=cause
        ) == (expected)


@pytest.mark.parametrize(
    ("service", "expected"),
    [("mail", "claimed"), ("Mail", "claimed"), ("web", "lapsed"), ("dns", "lapsed"), ("", "lapsed")],
)
def test_a_claim_about_a_service_claims_what_its_contract_has_for_it(service: str, expected: str) -> None:
    of = replace(agreement(ON_CLAIM), availability=(replace(uptime(), services=("Mail", "Web")),))
    about = {"availability": "uptime", "service": service, "period": "2026-11"}
    found = lines(
        of,
        NOVEMBER,
        facts=[fact("claim.filed", "2026-12-03T10:00", about=about)],
        terms=[replace(contract(), services=("mail", "dns"))],
    )
    assert only(found).state == expected


def test_a_claim_about_nothing_claims_what_was_certain_then() -> None:
    cause = replace(NOVEMBER, breached_at=at("2026-11-20T10:44"))
    assert state(ON_CLAIM, fact("claim.filed", "2026-11-20T10:43"), cause=cause) == "lapsed"
    assert state(ON_CLAIM, fact("claim.filed", "2026-11-20T10:44"), cause=cause) == "claimed"


def test_an_answer_grants_or_refuses_and_one_that_does_not_say_decides_nothing() -> None:
    filed = fact("claim.filed", "2026-12-03T10:00")
    for accepted, expected in ((True, "granted"), (False, "refused"), (None, "claimed")):
        assert (
            state(ON_CLAIM, filed, fact("claim.answered", "2026-12-09T10:00", accepted=accepted)) == expected
        )


def test_an_answer_to_another_ticket_or_another_claim_decides_nothing() -> None:
    filed = fact("claim.filed", "2026-12-03T10:00", claim="A")
    for answer in (
        fact("claim.answered", "2026-12-09T10:00", "10", accepted=True),
        fact("claim.answered", "2026-12-09T10:00", accepted=True, claim="B"),
        fact("claim.answered", "2026-12-02T10:00", accepted=True),
    ):
        assert state(ON_CLAIM, filed, answer) == "claimed"


def test_a_claim_that_is_sent_back_is_a_new_one_within_the_same_time() -> None:
    first = [
        fact("claim.filed", "2026-12-03T10:00"),
        fact("claim.answered", "2026-12-09T10:00", accepted=False),
    ]
    again = fact("claim.filed", "2026-12-10T10:00")
    assert state(ON_CLAIM, *first, again) == "claimed"
    assert (
        state(ON_CLAIM, *first, again, fact("claim.answered", "2026-12-30T10:00", accepted=True)) == "granted"
    )
    assert state(ON_CLAIM, *first, fact("claim.filed", "2027-02-21T00:00:01")) == "refused"


def test_a_claim_about_nothing_leaves_what_could_no_longer_be_claimed_lapsed() -> None:
    months = [
        down(60, month=month, incidents=[incident(f"{month}-20T10:00")]) for month in ("2026-08", "2026-11")
    ]
    facts = [
        fact("claim.filed", "2026-12-03T10:00"),
        fact("claim.answered", "2026-12-09T10:00", accepted=True),
    ]
    found = lines(agreement(ON_CLAIM), *months, facts=facts)
    assert {line.period: line.state.value for line in found} == {"2026-08": "lapsed", "2026-11": "granted"}


def test_a_late_claim_that_says_what_it_is_about_can_still_be_accepted() -> None:
    late = fact("claim.filed", "2027-03-01T10:00", about={"period": "2026-11"})
    assert state(ON_CLAIM, late, fact("claim.answered", "2027-03-02T10:00", accepted=True)) == "granted"
    assert state(ON_CLAIM, late, fact("claim.answered", "2027-03-02T10:00", accepted=False)) == "lapsed"


def test_a_request_by_hand_names_its_credit() -> None:
    requested = fact("credit.requested", "2026-12-03T10:00", "contract:C-1", credit=ID, author="Eva")
    assert state(ON_CLAIM, requested) == "claimed"
    assert state(ON_CLAIM, replace(requested, data={"credit": "acme.credit.C-1.2026-10"})) == "lapsed"
    assert state(HAISOFT, requested) == "owed"


@pytest.mark.parametrize(("kind", "expected"), [("credit.granted", "granted"), ("credit.refused", "refused")])
@pytest.mark.parametrize("rule", [HAISOFT, HALF.replace('"gtr"', '"uptime"'), ON_CLAIM])
def test_a_person_decides_by_hand_without_a_claim(rule: str, kind: str, expected: str) -> None:
    decided = fact(kind, "2026-12-03T10:00", "contract:C-1", credit=ID, author="Eva", reason="goodwill")
    line = only(lines(agreement(rule), NOVEMBER, facts=[decided]))
    last = line.transitions[-1]
    assert (line.state, last.author, last.reason) == (expected, "Eva", "goodwill")
    assert line.facts == ("out-1", decided.id)


def test_a_miss_is_claimable_at_once_and_never_lapses_on_request() -> None:
    line = only(lines(agreement(HALF), missed(), by=at("2026-11-03T12:00")))
    assert (line.state, line.next_at, line.period) == ("claimable", None, "2026-11")
    requested = fact("claim.filed", "2026-11-04T10:00", about={"commitment": "gtr", "ticket": "7"})
    assert state(HALF, requested, cause=missed()) == "claimed"


def test_an_interruption_accrues_until_it_is_over() -> None:
    open_ended = replace(missed(), ended_at=None)
    accruing = only(lines(agreement(TIME_SHARE), open_ended, by=at("2026-11-04T10:00")))
    assert (accruing.state, str(accruing.amount), accruing.next_at) == ("accruing", "3.33", None)
    assert state(TIME_SHARE, cause=missed()) == "claimable"


@pytest.mark.parametrize(
    ("cycle", "expected", "name"),
    [(0, None, "acme.credit.C-1.ticket.7"), (5, 5, "acme.credit.C-1.ticket.7.5")],
)
def test_the_first_clock_of_a_ticket_has_no_cycle_in_its_credit(
    cycle: int, expected: int | None, name: str
) -> None:
    line = only(lines(agreement(TIME_SHARE), missed(cycle=cycle)))
    assert (line.key.cycle, line.id) == (expected, name)


@pytest.mark.parametrize(
    ("created", "expected"),
    [("2026-10-31T22:00", [("2026-11", "50.00")]), ("2026-11-01T00:00", [])],
)
def test_a_miss_after_the_last_term_is_worth_the_fee_of_the_term_of_its_ticket(
    created: str, expected: list[tuple[str, str]]
) -> None:
    ended = contract(valid_to=date(2026, 11, 1))
    cause = replace(missed(start="2026-11-01T09:00"), created_at=at(created))
    found = lines(agreement(HALF), cause, terms=[ended])
    assert [(line.period, str(line.amount)) for line in found] == expected


def test_a_claim_about_a_miss_runs_from_its_outage_or_else_from_the_miss() -> None:
    of = TIME_SHARE.replace("on_request", "on_claim") + 'claim_within = "claim-filing"'
    verified = replace(missed(), incident=incident(verified="2026-11-21T09:00"))
    without = of.replace("claim-filing", "claim-of-a-ticket")
    assert only(lines(agreement(of), verified)).about.claim_by == at("2026-11-29T00:00")
    assert only(lines(agreement(without), missed())).about.claim_by == at("2026-11-11T00:00")


def test_a_fact_that_is_withdrawn_has_no_effect_and_a_ticket_of_kind_claim_is_a_claim() -> None:
    filed = fact("claim.filed", "2026-12-03T10:00")
    withdrawal = Event("w", "event.withdrawn", "9", filed.at + 1, {"id": filed.id})
    assert list(facts_of([filed, withdrawal])) == []
    assert list(facts_of([withdrawal, filed, filed])) == []
    assert [each.id for each in facts_of([filed])] == [filed.id]


def test_a_statement_is_the_sum_of_its_lines_and_leaves_out_what_is_closed() -> None:
    refused = fact("credit.refused", "2026-12-03T10:00", "contract:C-1", credit="acme.credit.C-1.ticket.7")
    causes = [missed(), missed("8"), missed("9")]
    granted = fact("credit.granted", "2026-12-03T10:00", "contract:C-1", credit="acme.credit.C-1.ticket.8")
    found = lines(agreement(HALF, UNKNOWN), *causes, NOVEMBER, facts=[refused, granted])
    charge = ChargeLine("emergency-call", "Call", DECEMBER, only_amount(found[1]), "EUR", "call-1")
    statement = Statement.of(found, [charge])
    assert [len(each) for each in _parts(statement)] == [2, 1, 1]
    (total,) = statement.totals
    assert (str(total.credits), str(total.charges), str(total.balance)) == ("100.00", "50.00", "0.00")
    assert (str(total.due), str(total.open)) == ("50.00", "50.00")


def test_a_refused_credit_is_closed_also_where_its_amount_is_not_known() -> None:
    found = lines(agreement(UNKNOWN), NOVEMBER)
    assert [len(part) for part in _parts(Statement.of(found))] == [0, 1, 0]
    refused = fact("credit.refused", "2026-12-03T10:00", "contract:C-1", credit=found[0].id)
    found = lines(agreement(UNKNOWN), NOVEMBER, facts=[refused])
    assert (found[0].amount, [len(part) for part in _parts(Statement.of(found))]) == (None, [0, 0, 1])


def _parts(statement: Statement) -> list[tuple[Line, ...]]:
    return [statement.lines, statement.without_amount, statement.closed]


def only_amount(line: Line) -> Decimal:
    assert line.amount is not None
    return line.amount


@pytest.mark.parametrize(
    "key",
    [
        LineKey("haisoft", "network-credit", "C-1", "2026-11"),
        LineKey("hvn", "uptime", "a/b c.d~é", "2026-11", "Email Server"),
        LineKey("phpnet", "gti", "", ticket="4711"),
        LineKey("clamehost", "restoration", "C", ticket="T.1", cycle=-5),
    ],
)
def test_an_id_is_fit_for_an_address_and_says_what_it_is_about(key: LineKey) -> None:
    assert set(key.text) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~")
    assert LineKey.parse(key.text) == key


@pytest.mark.parametrize(
    "text", ["", "a.b", "a.b.c.ticket.d.e", "a.b.c.d.e.f", "a.b.c.~zz", "a.b.c.~C3", "a.b.c.~ff"]
)
def test_another_text_is_the_id_of_no_credit(text: str) -> None:
    with pytest.raises(UnknownCredit):
        LineKey.parse(text)


def test_what_happens_after_an_instant_changes_nothing_before_it() -> None:
    granted = fact("credit.granted", "2026-12-03T10:00", "contract:C-1", credit=ID)
    line = only(lines(agreement(HAISOFT), NOVEMBER, facts=[granted], by=granted.at - 1))
    assert (line.state, line.next_at) == ("owed", granted.at)


def test_what_was_granted_keeps_the_rule_of_its_time_whichever_copy_of_an_agreement_judges_it() -> None:
    """A process reads a version more than once: two copies are equal and not the same object."""
    first, second = HAISOFT, HAISOFT.replace("3.3%", "2%")
    granted = fact("credit.granted", "2026-12-03T10:00", "contract:C-1", credit=ID)
    versions = tuple(
        Version(number, agreement(text), at(since))
        for number, (text, since) in enumerate(((first, "2026-01-01T00:00"), (second, "2026-12-04T00:00")))
    )
    of = ContractCredits("acme", "C-1", (contract(),), (granted,), versions)
    amounts = {
        only(of.lines([(judging, NOVEMBER)], at("2026-12-05T00:00"))).amount
        for judging in (versions[1].agreement, agreement(second))
    }
    assert len(amounts) == 1
    assert amounts == {only(lines(agreement(first), NOVEMBER, facts=[granted])).amount}
    assert amounts != {only(lines(agreement(second), NOVEMBER, facts=[granted])).amount}
