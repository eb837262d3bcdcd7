"""The pages of credits: what is owed to whom and by when, who may decide, the months as a chart, and statements."""

import re
from datetime import date
from typing import Any

import pytest

from app.delivery.wording.language import Language
from app.principal import Role, Scope
from app.web.pages.credits.charts import HEIGHT, charts
from app.web.pages.credits.customers import as_csv, customer_sums
from app.web.pages.credits.totals import totals
from app.web.pages.frame.rendering import words_of
from tests.web.room import Room

OWED = "haisoft.network-credit.C-1.2026-02"
WORDS = words_of("credits", Language.EN)


@pytest.fixture
def owed(room: Room) -> Room:
    """Two contracts that are owed a credit for February, and an allowance of nothing."""
    admin = room.key("*", Scope.ADMIN)
    for contract, customer in (("C-1", "ACME"), ("C/2", "Durand")):
        term = {"customer": customer, "services": ["network"], "valid_from": "2025-01-01", "currency": "EUR"}
        path = f"/v1/contracts/haisoft/{contract.replace('/', '%2F')}"
        put = room.client.put(path, json=term | {"fee": {"amount": "100.10", "per": "month"}}, headers=admin)
        assert put.status_code == 200, put.text
    for kind, time in (("outage.started", "12:00"), ("outage.ended", "14:10")):
        at = f"2026-02-10T{time}:00+01:00"
        room.sent(
            room.event(id=kind, subject="service:network", type=kind, time=at, data={"reference": "feb"})
        )
    return room


def rows(page: str) -> dict[str, str]:
    """The row of each credit, its white space joined."""
    found = re.split(r'<tr role="row" data-credit="([^"]+)"', page)
    return dict(zip(found[1::2], (re.sub(r"\s+", " ", each) for each in found[2::2]), strict=True))


def test_a_credit_shows_its_amount_its_state_and_its_explanation_in_the_readers_language(owed: Room) -> None:
    row = rows(owed.get("/credits").text)[OWED]
    assert '<span class="amount">€6.61</span>' in row
    assert "● owed" in row
    assert "The uptime (Network uptime) was" in row
    dutch = rows(owed.get("/credits/list", lang="nl").text)[OWED]
    assert '<span class="amount">€ 6,61</span>' in dutch
    assert "De beschikbaarheid (Uptime van het netwerk) was" in dutch
    assert "februari 2026" in dutch


def test_totals_are_of_each_state_and_the_filters_narrow_the_list(owed: Room) -> None:
    page = owed.get("/credits").text
    assert re.findall(r'<div class="big amount">([^<]+)</div>', page) == ["€13.22"]
    assert list(rows(owed.get("/credits", contract="c-1").text)) == [OWED]
    for nothing in ({"state": "granted"}, {"period": "2026-01"}, {"customer": "none"}, {"contract": "none"}):
        assert rows(owed.get("/credits", **nothing).text) == {}, nothing
    assert owed.get("/credits", period="march").status_code == 422


def test_decisions_are_offered_to_who_may_take_them(owed: Room) -> None:
    offered = {
        role: re.findall(
            r"data-values=\"([^\"]+)\"", rows(owed.get("/credits", owed.key("haisoft", role)).text)[OWED]
        )
        for role in (Role.VIEWER, Role.AGENT, Role.LEAD)
    }
    assert (offered[Role.VIEWER], offered[Role.AGENT]) == ([], [])
    assert "grant&#34;, &#34;refuse" in offered[Role.LEAD][0]


def test_a_withdrawn_credit_is_first_and_can_be_let_stand_or_taken_back(owed: Room) -> None:
    lead = owed.key("haisoft", Role.LEAD)
    decided = {"author": "Eva", "reason": "agreed"}
    owed.wall.move(1)
    assert owed.client.post(f"/v1/credits/{OWED}/grant", json=decided, headers=lead).status_code == 200
    owed.wall.move(1)
    gone = {"id": "outage.started", "author": "Eva", "reason": "a mistake"}
    at = "2026-03-06T15:30:01+01:00"
    owed.sent(owed.event(subject="service:network", type="event.withdrawn", time=at, data=gone))
    page = owed.get("/credits", lead).text
    first, row = next(iter(rows(page).items()))
    assert (first, "↶ withdrawn, to be decided" in row, "waits for a decision" in row) == (OWED, True, True)
    assert "stand&#34;, &#34;take_back" in row
    assert '<div class="facet" data-state="withdrawn">' in page


def test_a_credit_is_decided_by_a_form_that_keeps_what_was_typed(owed: Room) -> None:
    lead, at = owed.key("haisoft", Role.LEAD), "/credits/decide"
    owed.wall.move(1)
    came = {"Referer": "http://testserver/credits?period=2026-02"}
    page = owed.client.get(at, params={"credit": OWED}, headers=lead | came).text
    assert re.findall(r'name="decision" value="(\w+)"', page) == ["grant", "refuse"]
    fields = {"credit": OWED, "decision": "grant", "reason": "agreed", "back": "/credits?period=2026-02"}
    assert f'name="back" value="{fields["back"]}"' in page
    refused = owed.client.post(at, data=fields | {"author": ""}, headers=lead)
    assert (refused.status_code, "Write your name." in refused.text) == (422, True)
    assert 'value="agreed"' in refused.text
    early = owed.client.post(at, data=fields | {"author": "Eva", "decision": "request"}, headers=lead)
    assert (early.status_code, "owed without being asked for" in early.text) == (422, True)
    fields |= {"author": "Eva"}
    agent = owed.key("haisoft", Role.AGENT)
    assert owed.client.post(at, data=fields, headers=agent).status_code == 403
    assert 'name="decision"' not in owed.client.get(at, params={"credit": OWED}, headers=agent).text
    sent = owed.client.post(at, data=fields, headers=lead, follow_redirects=False)
    assert (sent.status_code, sent.headers["location"]) == (303, "/credits?period=2026-02")
    assert "granted" in rows(owed.get("/credits", lead).text)[OWED]


def test_the_statements_of_a_month_are_listed_with_what_each_comes_to(owed: Room) -> None:
    page = owed.get("/credits/statements", desk="haisoft").text
    assert "Statements: February 2026" in page
    assert re.findall(r'<a href="/credits/statements/haisoft/([^"]+)">', page) == [
        "C-1/2026-02",
        "C%2F2/2026-02",
    ]
    assert page.count("€6.61") == 4
    assert (
        owed.get("/credits/statements", desk="haisoft", contract="C-1").text.count(
            "/credits/statements/haisoft/"
        )
        == 1
    )
    assert "No contract has a statement here" in owed.get("/credits/statements", desk="hvn").text


def test_the_statements_of_all_desks_are_one_list_with_pages(owed: Room) -> None:
    admin = owed.key("*", Scope.ADMIN)
    for number in range(51):
        term = {"customer": "Bay", "valid_from": "2025-01-01", "currency": "EUR"}
        path = f"/v1/contracts/clamehost/B-{number:02}"
        assert owed.client.put(path, json=term, headers=admin).status_code == 200
    first = owed.get("/credits/statements").text
    assert "Desk: all" in first
    following = re.search(r'href="(/credits/statements\?cursor=[^"]+)" rel="next"', first)
    assert following
    pages = [first, owed.client.get(following[1], headers=owed.read).text]
    found = [re.findall(r'<a href="/credits/statements/(\w+/[^/"]+)/2026-02">', each) for each in pages]
    assert found == [
        [f"clamehost/B-{number:02}" for number in range(50)],
        ["clamehost/B-50", "haisoft/C-1", "haisoft/C%2F2"],
    ]
    assert "haisoft/C-1" in owed.get("/credits/statements", contract="C-1").text


def test_sums_by_customer_lead_to_the_credits_that_they_add_up_and_are_saved_as_csv(owed: Room) -> None:
    page = re.sub(r"\s+", " ", owed.get("/credits").text)
    (row,) = re.findall(r'<tr role="row" data-customer="ACME">(.*?)</tr>', page)
    figures = re.findall(r'<a href="([^"]+)">([^<]+)</a>', row)
    assert [text for _, text in figures] == ["1", "€6.61"]
    for address, _ in figures:
        behind = owed.client.get(address.replace("&amp;", "&"), headers=owed.read).text
        assert list(rows(behind)) == [OWED], address
    assert rows(owed.get("/credits", sum="open", currency="EUR").text) == {}
    file = owed.get("/credits/customers.csv", customer="acme")
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    assert file.text.splitlines()[1:] == ["ACME,EUR,1,0,6.61,0"]


def test_customers_are_summed_whatever_their_case_and_no_state_that_counts_for_nothing_is_added() -> None:
    listed = [
        credit("2026-02", "0.10", "owed") | {"customer": "Bay"},
        credit("2026-01", "0.20", "claimed") | {"customer": "BAY"},
        credit("2026-01", None, "owed") | {"customer": "bay"},
        credit("2026-01", "9.00", "refused") | {"customer": "Bay"},
        credit("2026-01", "7000", "owed", "VND") | {"customer": "=Bay"},
    ]
    sums = customer_sums(listed)
    assert [
        (each.customer, each.count, each.without_amount, str(each.due), str(each.open)) for each in sums
    ] == [
        ("Bay", 3, 1, "0.10", "0.20"),
        ("=Bay", 1, 0, "7000", "0"),
    ]
    assert as_csv(sums).splitlines()[-1] == "'=Bay,VND,1,0,7000,0"


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", ["Statement of February 2026", "€6.61", "Due less charges"]),
        ("fr", ["Relevé de février 2026", "6,61\xa0€", "Dû moins les frais"]),
        ("vi", ["Bảng kê tháng 2 năm 2026", "6,61\xa0€", "Phải trả trừ phí"]),
    ],
)
def test_a_statement_is_a_page_in_the_readers_language(owed: Room, language: str, shown: list[str]) -> None:
    headers = owed.read | {"Accept": "text/html", "Accept-Language": language}
    page = owed.client.get("/credits/statements/haisoft/C%2F2/2026-02", headers=headers).text
    assert [each for each in shown if each not in page] == []
    assert owed.client.get("/v1/statements/haisoft/C%2F2/2026-02", headers=headers).text == page
    (address,) = re.findall(r'href="(/v1/statements/[^"]+)"', page)
    file = owed.client.get(address.replace("&amp;", "&"), headers=headers)
    assert (file.headers["content-type"], "6.61" in file.text) == ("text/csv; charset=utf-8", True)


def credit(period: str, amount: str | None, state: str, currency: str = "EUR") -> dict[str, Any]:
    return {"period": period, "amount": amount, "state": state, "currency": currency}


def test_the_chart_adds_up_what_counts_by_month_and_currency() -> None:
    listed = [
        credit("2026-02", "0.10", "owed"),
        credit("2026-02", "0.20", "granted"),
        credit("2026-02", "0.30", "claimable"),
        credit("2026-02", "9.00", "refused"),
        credit("2026-01", "0.30", "owed"),
        credit("2026-01", None, "owed"),
        credit("2026-02", "7000", "owed", "VND"),
    ]
    euros, dong = charts(WORDS, listed, date(2026, 3, 6))
    assert (len(euros.columns), euros.columns[0].month) == (12, "April 2025")
    assert [(each.month, each.due, each.open) for each in euros.columns[-3:]] == [
        ("January 2026", "€0.30", "€0.00"),
        ("February 2026", "€0.30", "€0.30"),
        ("March 2026", "€0.00", "€0.00"),
    ]
    assert [each.due_height + each.open_height for each in euros.columns[-3:]] == [HEIGHT / 2, HEIGHT, 0]
    assert [(each.name, each.due) for each in dong.columns[-2:-1]] == [("Feb", "₫7,000")]


def test_totals_never_add_amounts_of_two_currencies_or_states() -> None:
    listed = [
        credit("2026-02", "9007199254740993.01", "owed"),
        credit("2026-02", "0.01", "owed"),
        credit("2026-02", "1", "owed", "VND"),
        credit("2026-02", None, "owed"),
        credit("2026-02", "5.00", "claimed"),
        credit("2026-02", "5.00", "lapsed"),
    ]
    claimed, owing = totals(WORDS, listed)
    assert (claimed.state, claimed.amounts) == ("claimed", ("€5.00",))
    assert owing.amounts == ("€9,007,199,254,740,993.02", "₫1")
    assert (owing.unknown, owing.count) == ("1 without an amount", 4)
