"""The subscriptions API: what is shown, who may change it, and deliveries with their retries."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from app.principal import Scope
from app.sla.span import micros
from app.store.outbound import subscriptions
from app.web.api.outbound.deliveries import DeliveryPage, DeliveryView, RetriedDeliveries
from app.web.api.outbound.endpoint import AttemptView
from app.web.api.outbound.subscriptions import SubscriptionList, SubscriptionView, SubscriptionWithSecret
from tests.receiver import status
from tests.servers.databases import Databases, both_kinds
from tests.waiting import HANG, until
from tests.web.room import Room, conforms, room_on, with_desks
from tests.web.subscriber import Subscriber, subscriber

KINDS = ["clock.started", "clock.stopped"]


class Office:
    """A room whose deliveries may go to this machine, a subscriber, and a key that may subscribe."""

    def __init__(self, room: Room, other: Subscriber) -> None:
        self.room, self.other = room, other
        self.admin = room.key("*", Scope.ADMIN)

    def ask(self, method: str, path: str, body: Any = None, key: dict[str, str] | None = None) -> Any:
        return self.room.client.request(
            method, f"/v1/subscriptions{path}", json=body, headers=key or self.admin
        )

    def subscribe(self, **given: Any) -> dict[str, Any]:
        body = {"desk": "haisoft", "kinds": KINDS, "url": self.other.receiver.url} | given
        response = self.ask("POST", "", body)
        assert response.status_code == 201, response.text
        return response.json()

    def deliveries(self, which: str, **wanted: str) -> list[dict[str, Any]]:
        response = self.room.get(f"/v1/subscriptions/{which}/deliveries", self.admin, **wanted)
        return conforms(DeliveryPage, response.content)["deliveries"]

    def until_settled(self, which: str, outcome: str) -> None:
        until(lambda: {each["outcome"] for each in self.deliveries(which)} == {outcome})


@pytest.fixture
def office(databases: Databases) -> Iterator[Office]:
    given = {"allow_networks": ("127.0.0.0/8",), "delivery_retry_schedule": ()}
    given |= {
        "delivery_timeout": HANG,
        "delivery_connect_timeout": HANG,
    }  # a busy machine makes no attempt fail
    with databases.copy_of(with_desks) as url, subscriber() as other, room_on(url, **given) as room:
        yield Office(room, other)


def test_a_new_subscription_has_a_secret_that_is_shown_once(office: Office) -> None:
    response = office.ask("POST", "", {"desk": "haisoft", "kinds": KINDS, "url": office.other.receiver.url})
    made = conforms(SubscriptionWithSecret, response.content)
    assert (response.status_code, made["state"], made["channel"]) == (201, "active", "webhook")
    assert made["secret"].startswith("whsec_")
    assert response.headers["location"] == f"/v1/subscriptions/{made['id']}"
    shown = office.ask("GET", f"/{made['id']}")
    assert made["secret"] not in shown.text
    assert conforms(SubscriptionView, shown.content) == {k: v for k, v in made.items() if k != "secret"}
    listed = conforms(SubscriptionList, office.ask("GET", "?desk=haisoft").content)
    assert [each["id"] for each in listed["subscriptions"]] == [made["id"]]


def test_a_signal_is_delivered_signed_to_the_subscriber(office: Office) -> None:
    made = office.subscribe()
    office.room.sent(office.room.event())
    office.until_settled(made["id"], "delivered")
    (arrived,) = office.other.receiver.arrived
    (delivery,) = office.deliveries(made["id"])
    assert arrived.event["subject"] == delivery["ticket"] == "4711"
    assert arrived.headers["webhook-id"] == delivery["id"]
    assert arrived.headers["webhook-signature"].startswith("v1,")


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"kinds": []}, "/kinds"),
        ({"kinds": ["clock.exploded"]}, "/kinds/0"),
        ({"url": "ftp://example.org/"}, "/url"),
        ({"url": "https://user:word@example.org/"}, "/url"),
        ({"url": "https://10.0.0.1/"}, "/url"),
        ({"filter": {"colour": ["red"]}}, "/filter/colour"),
        ({"filter": {"plan": []}}, "/filter/plan"),
        ({"channel": "pigeon"}, "/channel"),
        ({"channel": "notice", "url": "dbus://"}, "/url"),
        ({"channel": "notice", "url": "mailto://ops@example.org?to=ann@example.org,bob"}, "/url"),
        (
            {"channel": "notice", "url": "workflows://x.logic.azure.com/W/S?template=http://127.0.0.1/"},
            "/url",
        ),
        ({"omit": ["status"]}, "/omit/0"),
        ({"language": "tlh"}, "/language"),
        ({"state": "active"}, "/state"),
    ],
)
def test_an_invalid_subscription_is_refused_with_the_place(
    office: Office, given: dict[str, Any], place: str
) -> None:
    body = {"desk": "haisoft", "kinds": KINDS, "url": "https://example.org/"} | given
    response = office.ask("POST", "", body)
    assert (response.status_code, [each["place"] for each in response.json()["errors"]]) == (422, [place])


def test_an_unknown_desk_cannot_be_subscribed_to(office: Office) -> None:
    body = {"desk": "nobody", "kinds": KINDS, "url": "https://example.org/"}
    assert office.ask("POST", "", body).status_code == 404


def test_a_filter_of_one_value_may_be_written_without_a_list(office: Office) -> None:
    assert office.subscribe(filter={"commitment": "ticket-response"})["filter"] == {
        "commitment": ["ticket-response"]
    }


def test_another_desks_key_sees_nothing_and_a_reader_changes_nothing(office: Office) -> None:
    made = office.subscribe()
    foreign, reader = office.room.key("phpnet", Scope.ADMIN), office.room.key("haisoft", Scope.READ)
    every = office.subscribe(desk="*")
    for which in (made["id"], every["id"], "sub_none"):
        for method, path, body in [
            ("GET", "", None),
            ("PATCH", "", {"state": "paused"}),
            ("DELETE", "", None),
            ("POST", "/secret", None),
            ("POST", "/test", None),
            ("GET", "/deliveries", None),
            ("POST", "/deliveries/sig_1/retry", None),
            ("POST", "/retry-since", {"since": "2026-03-06T15:30:00+01:00"}),
        ]:
            assert office.ask(method, f"/{which}{path}", body, foreign).status_code == 404, (method, path)
            if method != "GET":
                assert office.ask(method, f"/{which}{path}", body, reader).status_code == 403, (method, path)
    assert office.ask("GET", "", key=foreign).json() == {"subscriptions": []}
    assert office.ask("POST", "", {"desk": "haisoft", "kinds": KINDS, "url": "https://example.org/"}, foreign)
    body = {"desk": "*", "kinds": KINDS, "url": "https://example.org/"}
    assert office.ask("POST", "", body, foreign).status_code == 404
    assert office.ask("GET", f"/{made['id']}", key=reader).status_code == 200


def test_a_reader_sees_the_url_masked(office: Office) -> None:
    made = office.subscribe()
    reader = office.room.key("haisoft", Scope.READ)
    shown = office.ask("GET", f"/{made['id']}", key=reader).json()["url"]
    assert shown == f"http://127.0.0.1:{office.other.receiver.port}/…"
    people = office.subscribe(channel="notice", url="slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/")
    assert people["secret"] is None
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in office.ask("GET", f"/{people['id']}").text


def test_a_change_leaves_omitted_fields_as_they_are(office: Office) -> None:
    made = office.subscribe(filter={"plan": ["gold"]})
    response = office.ask("PATCH", f"/{made['id']}", {"kinds": ["queue.moved"], "description": "wall"})
    changed = conforms(SubscriptionView, response.content)
    assert (changed["kinds"], changed["description"], changed["filter"]) == (
        ["queue.moved"],
        "wall",
        {"plan": ["gold"]},
    )
    assert office.ask("PATCH", f"/{made['id']}", {"url": "https://127.0.0.1:1/#x"}).status_code == 422
    assert office.ask("GET", f"/{made['id']}").json() == changed


def test_a_deleted_subscription_gets_no_deliveries(office: Office) -> None:
    made = office.subscribe()
    assert office.ask("DELETE", f"/{made['id']}").status_code == 204
    assert office.ask("GET", f"/{made['id']}").status_code == 404
    office.room.sent(office.room.event())
    rows = office.room.database.read_now(lambda conn: conn.exec_driver_sql("SELECT * FROM delivery").all())
    assert rows == []


def test_a_secret_is_replaced_with_an_overlap_and_a_limited_number_sign(office: Office) -> None:
    made = office.subscribe()
    renewed = conforms(SubscriptionWithSecret, office.ask("POST", f"/{made['id']}/secret").content)
    assert renewed["secret"] not in (None, made["secret"])
    assert renewed["former_secret_until"] == "2026-03-07T14:30:00Z"
    assert office.ask("POST", f"/{made['id']}/secret").status_code == 200
    refused = office.ask("POST", f"/{made['id']}/secret")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:slatimer:problem:conflict")
    office.room.sent(office.room.event())
    office.until_settled(made["id"], "delivered")
    assert office.other.receiver.arrived[0].headers["webhook-signature"].count("v1,") == 3
    people = office.subscribe(channel="notice", url="slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/")
    assert office.ask("POST", f"/{people['id']}/secret").status_code == 422


def test_a_test_returns_its_result(office: Office) -> None:
    made = office.subscribe()
    result = conforms(AttemptView, office.ask("POST", f"/{made['id']}/test").content)
    assert result == {
        "delivered": True,
        "outcome": "delivered",
        "reason": "answered 200 OK",
        "status": 200,
    }
    office.other.receiver.answer = lambda number, request: status(503)
    assert office.ask("POST", f"/{made['id']}/test").json()["outcome"] == "throttled"


def test_a_test_changes_nothing_though_it_is_answered_410(office: Office) -> None:
    made = office.subscribe()
    before = office.ask("GET", f"/{made['id']}").json()
    office.other.receiver.answer = lambda number, request: status(410)
    tried = office.ask("POST", f"/{made['id']}/test").json()
    assert (tried["delivered"], tried["outcome"], tried["status"]) == (False, "gone", 410)
    assert office.ask("GET", f"/{made['id']}").json() == before
    assert (before["state"], office.deliveries(made["id"])) == ("active", [])
    off = disabled(office)
    assert office.ask("POST", f"/{off['id']}/test").json()["delivered"] is True
    assert office.ask("GET", f"/{off['id']}").json() == off


def test_parked_deliveries_are_listed_and_retried_one_by_one_or_since_an_instant(office: Office) -> None:
    made = office.subscribe()
    office.other.receiver.answer = lambda number, request: status(500)
    office.room.sent(office.room.event(subject="A"), office.room.event(subject="B"))
    office.until_settled(made["id"], "status")
    parked = office.deliveries(made["id"], state="parked")
    assert [each["ticket"] for each in parked] == ["B", "A"]
    assert {each["reason"] for each in parked} == {"answered 500 Internal Server Error"}
    office.other.receiver.answer = lambda number, request: status(204)
    response = office.ask("POST", f"/{made['id']}/deliveries/{parked[0]['id']}/retry")
    assert conforms(DeliveryView, response.content)["state"] == "pending"
    until(lambda: office.deliveries(made["id"], state="parked") == parked[1:])
    since = {"since": "2026-03-06T15:00:00+01:00"}
    again = conforms(RetriedDeliveries, office.ask("POST", f"/{made['id']}/retry-since", since).content)
    assert again == {"retried": 1, "more": False}
    office.until_settled(made["id"], "delivered")
    assert office.ask("POST", f"/{made['id']}/deliveries/sig_none/retry").status_code == 404


def disabled(office: Office, **given: Any) -> dict[str, Any]:
    """A subscription whose endpoint answered 410, as it is then."""
    made = office.subscribe(**given)
    office.other.receiver.answer = lambda number, request: status(410)
    office.room.sent(office.room.event(subject="gone"))
    until(lambda: office.ask("GET", f"/{made['id']}").json()["state"] == "disabled")
    office.other.receiver.answer = lambda number, request: status(204)
    return office.ask("GET", f"/{made['id']}").json()


@both_kinds
def test_a_disabled_subscription_refuses_retries_and_says_why(
    office: Office,
) -> None:
    made = disabled(office)
    (parked,) = office.deliveries(made["id"])
    since = {"since": "2026-03-06T15:00:00+01:00"}
    asked = [("/retry-since", since), (f"/deliveries/{parked['id']}/retry", None)]
    for path, body in asked:
        refused = office.ask("POST", f"/{made['id']}{path}", body)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:slatimer:problem:switched-off")
        assert "410 Gone" in refused.json()["detail"]
        assert 'PATCH {"state": "active"}' in refused.json()["detail"]
    assert office.deliveries(made["id"]) == [parked]
    office.ask("PATCH", f"/{made['id']}", {"state": "active"})
    assert [office.ask("POST", f"/{made['id']}{path}", body).status_code for path, body in asked] == [
        200,
        200,
    ]
    office.until_settled(made["id"], "delivered")


def test_retries_of_a_paused_subscription_wait(office: Office) -> None:
    made = office.subscribe()
    office.other.receiver.answer = lambda number, request: status(500)
    office.room.sent(office.room.event())
    office.until_settled(made["id"], "status")
    office.ask("PATCH", f"/{made['id']}", {"state": "paused"})
    since = {"since": "2026-03-06T15:00:00+01:00"}
    assert office.ask("POST", f"/{made['id']}/retry-since", since).json()["retried"] == 1
    assert [each["state"] for each in office.deliveries(made["id"])] == ["pending"]


@both_kinds
def test_deliveries_come_in_pages(office: Office) -> None:
    made = office.subscribe()
    office.room.sent(*(office.room.event(subject=f"T{n}") for n in range(5)))
    office.until_settled(made["id"], "delivered")
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        path = f"/v1/subscriptions/{made['id']}/deliveries"
        page = office.room.get(path, office.admin, limit=2, **cursor).json()
        seen += [each["ticket"] for each in page["deliveries"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == ["T4", "T3", "T2", "T1", "T0"]
    assert office.room.get(path, office.admin, cursor="nonsense").status_code == 422


def test_a_paused_subscription_resumes_where_it_stopped(office: Office) -> None:
    made = office.subscribe()
    office.ask("PATCH", f"/{made['id']}", {"state": "paused"})
    office.room.sent(office.room.event())
    (waiting,) = office.deliveries(made["id"])
    assert (waiting["state"], waiting["attempts"]) == ("pending", 0)
    office.ask("PATCH", f"/{made['id']}", {"state": "active"})
    office.until_settled(made["id"], "delivered")


def test_the_metrics_count_deliveries(office: Office) -> None:
    made = office.subscribe()
    office.room.sent(office.room.event())
    office.until_settled(made["id"], "delivered")
    text = office.room.client.get("/metrics").text
    assert 'slatimer_deliveries_total{outcome="delivered"}' in text
    assert "slatimer_pending_deliveries 0.0" in text


def test_a_subscription_shows_and_changes_the_fields_that_it_leaves_out(office: Office) -> None:
    made = office.subscribe(omit=["customer", "title", "customer"])
    assert (made["omit"], made["refused"]) == (["customer", "title"], None)
    changed = office.ask("PATCH", f"/{made['id']}", {"omit": []}).json()
    assert changed["omit"] == []


def test_the_list_shows_why_a_stored_channel_is_refused(office: Office) -> None:
    made = office.subscribe(channel="notice", url="slack://T1/B2/C3")
    database = office.room.database
    database.write_now(lambda conn, now: _store_url(conn, made["id"], "slack://T1/B2/C3?verify=no"))
    (shown,) = office.ask("GET", "").json()["subscriptions"]
    assert "'verify'" in shown["refused"]
    assert shown["url"] == "slack://…"


def _store_url(conn: Any, which: str, url: str) -> None:
    found = subscriptions.find(conn, which)
    assert found is not None
    subscriptions.change(conn, replace(found, url=url))


def test_a_subscription_says_of_which_periods_it_wants_reports(office: Office) -> None:
    made = office.subscribe(kinds=["report.ready"])
    assert made["reports"] == ["week", "month"]
    changed = office.ask("PATCH", f"/{made['id']}", {"reports": ["month"]})
    assert conforms(SubscriptionView, changed.content)["reports"] == ["month"]
    for wrong in ([], ["day"], "month"):
        assert office.ask("PATCH", f"/{made['id']}", {"reports": wrong}).status_code == 422


def test_the_report_of_a_month_is_delivered_signed_when_it_ends(office: Office) -> None:
    made = office.subscribe(kinds=["report.ready"], reports=["month"])
    office.room.wall.now = micros(datetime.fromisoformat("2026-04-01T00:00:00+02:00"))
    publisher = office.room.app.state.running.reports
    assert office.room.client.portal is not None
    for _ in range(2):
        office.room.client.portal.call(publisher.publish)
    office.room.app.state.running.deliverer.wake()
    office.until_settled(made["id"], "delivered")
    (arrived,) = office.other.receiver.arrived
    assert arrived.headers["webhook-signature"].startswith("v1,")
    data = arrived.event["data"]
    assert (data["kind"], data["by"], data["period"]) == ("report.ready", "month", "2026-03")
    shares = {each["of"]: each["value"] for each in data["figures"] if each["figure"] == "share"}
    rows = office.room.client.get(data["reports"]["attainment"], headers=office.room.read).json()["rows"]
    assert shares == {row["kind"]: row["share"] for row in rows}
