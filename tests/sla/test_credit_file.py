"""The table `[[credits]]` of an agreement file: what is read from it, and every fault with its place and remedy."""

from fractions import Fraction

import pytest

from app.sla.agreement.credit import Bands, CreditAs, CreditBase, CreditOwed, PerTime, TimeShare
from app.sla.agreement.file import AgreementFault, parse_agreement
from app.sla.agreement.rule import Kind
from tests.sla.credits import read, uptime
from tests.sla.test_credit_amounts import HAISOFT, HVN

PER_TIME = 'for = "uptime"\nrule = "per_time"\nper = "60m"\nmonthly = { share = "3%", base = "monthly_fee" }'


def test_shares_and_caps_are_exact() -> None:
    rule, faults = read(HAISOFT)
    assert faults == []
    assert isinstance(rule.amount, PerTime)
    monthly, yearly = rule.amount.monthly, rule.amount.yearly
    assert yearly is not None
    assert yearly.cap is not None
    assert (monthly.share.value, yearly.share.value) == (Fraction(33, 1000), Fraction(27, 10000))
    assert (yearly.base, yearly.cap.written, yearly.cap.value) == (
        CreditBase.ANNUAL_FEE,
        "1/24",
        Fraction(1, 24),
    )
    assert (rule.owed, rule.paid_as, rule.of_availability) == (CreditOwed.AUTOMATIC, CreditAs.INVOICE, True)


def test_bands_are_read_from_the_highest_down_in_whatever_order_they_are_written() -> None:
    lines = HVN.splitlines()
    rule, faults = read("\n".join([*lines[:4], lines[6], lines[4], lines[5], *lines[7:]]))
    assert faults == []
    assert isinstance(rule.amount, Bands)
    assert [band.share.written for band in rule.amount.bands] == ["25%", "50%", "100%"]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('for = "gtr"\nrule = "time_share"\noutages_of = "up"', 'there is no availability "up"'),
        ('for = "gtr"\nrule = "share"\nshare = "5%"\nbase = "fee"\noutages_of = "uptime"', "only a credit"),
        ('for = "uptime"\nrule = "time_share"\noutages_of = "uptime"', "only a credit"),
    ],
)
def test_only_the_refund_of_an_interruption_is_for_outages_of_an_availability(text: str, wrong: str) -> None:
    _, faults = read(text)
    assert [(each.place, each.wrong.startswith(wrong)) for each in faults] == [
        ("credits.credit.outages_of", True)
    ]


def test_a_time_share_is_of_the_fee_and_at_most_the_fee() -> None:
    rule, faults = read('for = "gtr"\nrule = "time_share"')
    assert faults == []
    assert isinstance(rule.amount, TimeShare)
    assert (rule.amount.base, rule.amount.cap.value, rule.label) == (CreditBase.FEE, 1, "credit")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('rule = "unknown"', 'for: it is missing. Write for = "uptime".'),
        (
            'for = "uptimes"\nrule = "unknown"',
            'for: there is no availability or commitment "uptimes". Did you mean "uptime"?',
        ),
        (
            'for = "wish"\nrule = "unknown"',
            'for: "wish" is of the kind objective, and only a guarantee makes a credit. Name one of kind = "guarantee"',
        ),
        ('for = "uptime"', 'rule: it is missing. Write rule = "bands".'),
        ('for = "uptime"\nrule = "band"', 'rule: there is no rule "band". Did you mean "bands"?'),
        (
            HVN.replace('"uptime"', '"gtr"'),
            'rule: "bands" counts the downtime of a period, and "gtr" is no availability. Write for =',
        ),
        ('for = "uptime"\nrule = "per_time"', 'per: it is missing. Write per = "60m".'),
        ('for = "uptime"\nrule = "per_time"\nper = "60m"', "monthly: it is missing. Write monthly = {"),
        (PER_TIME.replace("60m", "an hour"), 'per: "an hour" is not a target. Write "2h"'),
        (PER_TIME.replace("60m", "0m"), "per: "),
        (PER_TIME.replace("3%", "101%"), 'monthly.share: "101%" is more than the whole. Write a share up to'),
        (PER_TIME.replace("3%", "0%"), 'monthly.share: "0%" is nothing. Write share = "50%".'),
        (
            PER_TIME.replace("3%", "-3%"),
            'monthly.share: "-3%" is not a share. Write share = "3.3%" or "1/24".',
        ),
        (PER_TIME.replace("3%", "1/0"), 'monthly.share: "1/0" is not a share.'),
        (PER_TIME.replace("3%", "3/2"), 'monthly.share: "3/2" is more than the whole.'),
        (PER_TIME.replace('"3%"', "3"), "monthly.share: 3 is not a text."),
        (
            PER_TIME.replace("monthly_fee", "weekly_fee"),
            "monthly.base: 'weekly_fee' is not known. Write",
        ),
        (
            PER_TIME.replace('"3%"', '"3%", cap = "2%"'),
            'monthly.cap: "2%" is less than a single unit, "3%". Write a cap of at least one unit\'s share',
        ),
        (PER_TIME.replace('"3%"', '"3%", caps = "50%"'), "monthly.caps: no such key here."),
        (
            PER_TIME + '\nrounding = "up"\nsum_over = "outage"',
            'rounding: with sum_over = "outage" two short outages would owe more than one long one',
        ),
        ('for = "uptime"\nrule = "share"\nbase = "fee"', "share: it is missing."),
        ('for = "uptime"\nrule = "share"\nshare = "5%"', 'base: it is missing. Write "annual_fee", "fee" or'),
        ('for = "uptime"\nrule = "bands"\nbase = "fee"', "bands: there is none. Write bands = ["),
        (
            HVN.replace('below = "99%"', 'below = "98%"'),
            "bands[1].below: no band has the uptimes",
        ),
        (
            HVN.replace('below = "95%"', 'below = "96%"'),
            'bands[2].below: two bands have the uptimes from "95%" up to "96%". Write below = "95%".',
        ),
        (
            HVN.replace('"0%"', '"50%"'),
            'bands[2].from: no band has the uptimes below "50%". Write from = "0%".',
        ),
        (HVN.replace('"99.9%"', '"99.95%"'), 'bands[0].below: "99.95%" is above the target ">= 99.9%"'),
        (
            HVN.replace('"100%"', '"10%"'),
            'bands[2].share: a lower uptime owes less, "10%" instead of "50%". Write a share that is no less',
        ),
        (
            HVN.replace('from = "99%"', 'from = "99.9%"'),
            'bands[0].below: it begins at "99.9%" and ends below',
        ),
        (HVN.replace('below = "99%", ', ""), "bands[1].below: it is missing."),
        (
            'for = "uptime"\nrule = "unknown"\nowed = "on_claim"',
            "claim_within: it is missing. Name the commitment of kind",
        ),
        (
            'for = "uptime"\nrule = "unknown"\nowed = "on_claim"\nclaim_within = "gtr"',
            'claim_within: there is no commitment "gtr" of the kind customer. Write "claim-filing"',
        ),
        (
            'for = "uptime"\nrule = "unknown"\nclaim_within = "claim-filing"',
            'claim_within: a credit that is owed "automatic" needs no claim. Leave it out, or write owed',
        ),
        (
            'for = "uptime"\nrule = "unknown"\nowed = "on_claim"\nclaim_within = "claim-of-a-ticket"',
            'claim_within: "claim-of-a-ticket" starts on no fact of an outage.',
        ),
        ('for = "uptime"\nrule = "unknown"\nowed = "asked"', "owed: 'asked' is not known."),
        ('for = "uptime"\nrule = "unknown"\nas = "gold"', "as: 'gold' is not known."),
        ('for = "uptime"\nrule = "unknown"\nper = "60m"', "per: no such key here."),
    ],
)
def test_a_fault_names_its_place_and_what_to_write_instead(text: str, fault: str) -> None:
    _, faults = read(text)
    assert any(str(each).startswith(f"credits.credit.{fault}") for each in faults), faults
    assert all(each.right for each in faults)


def test_an_availability_that_is_an_objective_makes_no_credit() -> None:
    _, faults = read('for = "uptime"\nrule = "unknown"', uptime(kind=Kind.OBJECTIVE))
    assert [fault.place for fault in faults] == ["credits.credit.for"]


def test_each_credit_of_a_file_has_an_id_of_its_own() -> None:
    commitment = {
        "id": "gtr",
        "kind": "guarantee",
        "starts_on": ["outage.started"],
        "stops_on": ["service.restored"],
        "target": "2h",
        "calendar": "always",
    }
    credit = {"id": "refund", "for": "gtr", "rule": "share", "share": "50%", "base": "monthly_fee"}
    document = {"desk": "acme", "commitments": [commitment], "credits": [credit]}
    assert [each.answers for each in parse_agreement(document, calendars={}).credits] == ["gtr"]
    with pytest.raises(AgreementFault, match='"refund" is taken'):
        parse_agreement({**document, "credits": [credit, credit]}, calendars={})
