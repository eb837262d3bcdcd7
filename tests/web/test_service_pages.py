"""The pages of services: figures, days, outages with what was excluded and why, maintenance, and resources by page."""

import re

import pytest

from app.delivery.wording.language import Language
from app.principal import Role
from app.web.pages.frame.figures import exact_length, money, month, uptime
from app.web.pages.frame.rendering import words_of
from tests.web.filled import Form, form_to
from tests.web.room import Room


def fact(
    room: Room, kind: str, time: str, service: str = "network", desk: str = "haisoft", **data: object
) -> None:
    event = room.event(source=desk, subject=f"service:{service}", type=kind, time=time, data=data)
    room.sent(event)


@pytest.fixture
def down(room: Room) -> Room:
    """An outage that is over, one that the agreement excludes, one that lasts, and maintenance."""
    fact(room, "outage.started", "2026-03-02T12:00:00+01:00", reference="m", cause="router")
    fact(room, "outage.ended", "2026-03-02T12:10:00+01:00", reference="m")
    fact(room, "outage.started", "2026-03-05T12:00:00+01:00", "web", "clamehost", cause="third_party")
    fact(room, "outage.ended", "2026-03-05T12:09:00+01:00", "web", "clamehost")
    fact(room, "outage.started", "2026-03-06T15:00:00+01:00", "virtual", resource="vps-112")
    window = {"from": "2026-03-08T01:00:00+07:00", "to": "2026-03-08T03:00:00+07:00"}
    fact(room, "maintenance.announced", "2026-03-06T12:00:00+07:00", "Hosting", "hvn", **window)
    return room


def of(page: str, service: str) -> str:
    """The card of a service, its white space joined."""
    found = page.partition(f'<article class="panel service" data-service="{service}"')[2].partition(
        "</article>"
    )[0]
    return re.sub(r"\s+", " ", found)


def test_a_service_shows_its_figures_and_its_days_as_a_picture_and_as_a_table(down: Room) -> None:
    network = of(down.get("/services").text, "network")
    assert '<div class="big uptime">99.9775%</div>' in network
    assert '<div class="big left-of">12 min 17 s</div>' in network
    runs = [int(width) + 2 for width in re.findall(r'<path class="none" d="M\d+ 38h(\d+)"', network)]
    assert sum(runs) // 10 + network.count('class="down"') == 90
    assert "to Sun 1 Mar: no downtime</title>" in network
    assert 'tabindex="0" aria-label="Mon 2 Mar: 10 min down"' in network
    assert '<th scope="row">Mon 2 Mar</th><td>10 min down</td>' in network


def test_an_outage_says_what_of_it_counts_and_why(down: Room) -> None:
    page = down.get("/services").text
    assert "Counted: 10 min, Mon 2 Mar 12:00 CET to Mon 2 Mar 12:10 CET (cause: router)" in of(
        page, "network"
    )
    assert "(cause: third party, which the agreement excludes)" in of(page, "web")
    assert "Down since today 15:00" in of(page, "virtual")
    assert "Downtime in it does not count: maintenance announced in time." in of(page, "Hosting")


def test_only_who_may_record_is_offered_to(down: Room) -> None:
    pages = {
        role: down.get("/services", down.key("haisoft", role), desk="haisoft").text
        for role in (Role.VIEWER, Role.AGENT)
    }
    assert "data-values" not in pages[Role.VIEWER]
    assert pages[Role.AGENT].count('data-dialog="record-start"') == 3


def test_resources_are_listed_by_page(room: Room) -> None:
    for number in range(53):
        fact(room, "outage.started", "2026-03-02T12:00:00+01:00", "virtual", resource=f"vps-{number:02}")
    wanted = {"desk": "haisoft", "service": "virtual"}
    first = room.get("/services/resources", **wanted).text
    following = re.search(r'cursor=([^"&]+)" rel="next"', first)
    assert following
    second = room.get("/services/resources", cursor=following[1], **wanted).text
    found = [re.findall(r'data-resource="([^"]+)"', page) for page in (first, second)]
    assert len({*found[0], *found[1]}) == len(found[0]) + len(found[1]) == 53
    assert "vps-07" in room.get("/services/resources/list", resource="VPS-07", **wanted).text


def test_a_month_that_is_none_is_refused_as_a_page(room: Room) -> None:
    page = room.get("/services", period="march")
    assert (page.status_code, "<h1>The address is not valid</h1>" in page.text) == (422, True)


@pytest.mark.parametrize(
    ("language", "written"),
    [
        (
            "en",
            [
                "€1,234.50",
                "₫9,007,199,254,740,993",
                "March 2026",
                "99.9775%",
                "2 h 10 min",
                "12 min 17 s",
                "0 s",
            ],
        ),
        (
            "nl",
            [
                "€ 1.234,50",
                "₫ 9.007.199.254.740.993",
                "maart 2026",
                "99,9775%",
                "2 u 10 min",
                "12 min 17 s",
                "0 s",
            ],
        ),
    ],
)
def test_figures_are_written_as_the_language_does_and_exactly(language: str, written: list[str]) -> None:
    words = words_of("service", Language(language))
    found = [money(words, "1234.50", "EUR"), money(words, "9007199254740993", "VND"), month(words, "2026-03")]
    found += [uptime(words, "99.9775"), *(exact_length(words, each) for each in (7_800, 737, 0))]
    assert [each.replace("\xa0", " ") for each in found] == written


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        (Language.EN, "> 99.95%", "more than 99.95%"),
        (Language.EN, ">=99.9%", "at least 99.9%"),
        (Language.NL, ">= 99.9%", "minstens 99,9%"),
        (Language.EN, "90s", "90s"),
    ],
)
def test_the_target_of_an_uptime_is_said_in_words(language: Language, written: str, said: str) -> None:
    assert words_of("service", language).uptime(written) == said


RECORD = "/services/record"


def form_of(room: Room, what: str, **about: str) -> Form:
    """The form that a link of the page leads to."""
    given = {"desk": "haisoft", "service": "virtual", "what": what} | about
    return form_to(room.get(RECORD, room.key("haisoft", Role.AGENT), **given).text, RECORD)


def outages(room: Room) -> list[dict[str, object]]:
    asked = {"desk": "haisoft", "service": "virtual", "resource": "vps-9"}
    return room.get("/v1/availability", **asked).json()["availability"][0]["outages"]


def test_without_scripts_an_outage_is_recorded_with_its_end_and_its_cause(room: Room) -> None:
    agent = room.key("haisoft", Role.AGENT)
    page = room.get("/services", agent, desk="haisoft").text
    assert f"{RECORD}?what=start&amp;desk=haisoft&amp;service=virtual" in page
    started = form_of(room, "start").filled(time="2026-03-06T11:00:00", resource="vps-9").sent(room, agent)
    assert (started.status_code, started.headers["location"]) == (303, "/services?desk=haisoft&done=start")
    shown = room.client.get(started.headers["location"], headers=agent).text
    assert "The start of the outage was recorded." in shown
    (href,) = set(re.findall(r'href="(/services/record[?]what=end[^"]+)"', shown))
    ending = form_to(room.client.get(href.replace("&amp;", "&"), headers=agent).text, RECORD)
    assert ending.filled(time="2026-03-06T11:05:00").sent(room, agent).status_code == 303
    about = {"resource": "vps-9", "reference": ending.value("reference")}
    assert form_of(room, "cause", **about).filled(cause="hardware").sent(room, agent).status_code == 303
    (outage,) = outages(room)
    assert (outage["cause"], outage["counted_seconds"]) == ("hardware", 300)


@pytest.mark.parametrize(
    ("what", "typed", "field"),
    [
        ("start", {"time": "soon"}, "time"),
        ("start", {"time": ""}, "time"),
        ("end", {"cause": "x" * 201}, "cause"),
        ("cause", {"cause": " "}, "cause"),
        ("window", {"from": "2026-03-07T02:00:00", "to": "2026-03-07T01:00:00"}, "to"),
    ],
)
def test_a_form_about_an_outage_with_a_fault_is_shown_again_with_what_was_typed(
    shared_room: Room, what: str, typed: dict[str, str], field: str
) -> None:
    agent = shared_room.key("haisoft", Role.AGENT)
    refused = form_of(shared_room, what).filled(**typed).sent(shared_room, agent)
    assert refused.status_code == 422
    assert f'id="{field}-fault"' in refused.text
    again = form_to(refused.text, RECORD)
    assert {name: again.value(name) for name in typed} == {
        name: text.strip() or text for name, text in typed.items()
    }


def test_without_scripts_maintenance_is_announced(room: Room) -> None:
    typed = form_of(room, "window").filled(emergency="yes")
    sent = typed.filled(**{"from": "2026-03-09T02:00:00", "to": "2026-03-09T04:00:00"})
    assert sent.sent(room, room.key("haisoft", Role.AGENT)).status_code == 303
    page = of(room.get("/services", desk="haisoft").text, "virtual")
    assert "Mon 02:00 CET to Mon 04:00 CET" in page
    assert "emergency" in page


def test_only_an_agent_has_the_forms_about_outages(shared_room: Room) -> None:
    asked = {"desk": "haisoft", "service": "virtual", "what": "start"}
    assert shared_room.get(RECORD, shared_room.key("haisoft", Role.VIEWER), **asked).status_code == 403
    agent = shared_room.key("haisoft", Role.AGENT)
    assert shared_room.get(RECORD, agent, **asked | {"what": "other"}).status_code == 404
    assert shared_room.get(RECORD, agent, **asked | {"desk": "hvn"}).status_code == 404
