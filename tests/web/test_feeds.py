"""Calendar feeds: a calendar program opens one calendar by an address with a secret, until it is removed."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from icalendar import Calendar

from app.principal import Role, Scope
from app.web.api.desks.feeds import FeedList, FeedWithAddress
from app.web.http.middleware import logged_path
from tests.web.room import Room, conforms

FEEDS = "/v1/calendars/haisoft/tickets/feeds"


def made(room: Room, **body: Any) -> Any:
    response = room.client.post(FEEDS, json=body, headers=room.key("haisoft", Scope.ADMIN))
    assert response.status_code == 201, response.text
    return conforms(FeedWithAddress, response.content)


def test_a_feed_is_read_without_a_key_and_opens_its_calendar(room: Room) -> None:
    url = made(room, note="Wall")["url"]
    response = room.client.get(url)
    assert (response.status_code, response.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    calendar = Calendar.from_ical(response.content)
    assert calendar["X-WR-CALNAME"] == "haisoft/tickets"
    assert len(calendar.walk("VEVENT")) > 100
    assert room.client.head(url).status_code == 200


def test_a_feed_is_listed_without_its_secret(room: Room) -> None:
    feed = made(room, note="Wall")
    response = room.client.get(FEEDS, headers=room.key("haisoft", Scope.ADMIN))
    (listed,) = conforms(FeedList, response.content)["feeds"]
    assert listed == {name: feed[name] for name in ("id", "note", "created_by", "created_at")}
    secret = feed["url"].rpartition("/")[2].removesuffix(".ics")
    assert secret not in response.text
    assert secret not in str(
        room.database.read_now(lambda c: c.exec_driver_sql("SELECT * FROM calendar_feed").all())
    )


def test_a_removed_feed_is_unknown_at_once_like_any_other(room: Room) -> None:
    admin = room.key("haisoft", Scope.ADMIN)
    feed = made(room)
    assert room.client.delete(f"{FEEDS}/{feed['id']}", headers=admin).status_code == 204
    gone, never = room.client.get(feed["url"]), room.client.get("/feeds/calendars/slf_never.ics")
    assert (gone.status_code, never.status_code) == (404, 404)
    assert gone.json()["detail"] == never.json()["detail"]
    assert room.client.delete(f"{FEEDS}/{feed['id']}", headers=admin).status_code == 404


@pytest.mark.parametrize(
    ("desks", "scope", "status"),
    [("haisoft", Scope.READ, 403), ("haisoft", Scope.PUSH, 403), ("webxtra", Scope.ADMIN, 404)],
)
def test_no_other_role_and_no_other_desk_makes_lists_and_removes_feeds(
    room: Room, desks: str, scope: Scope, status: int
) -> None:
    feed, key = made(room), room.key(desks, scope)
    assert room.client.post(FEEDS, json={}, headers=key).status_code == status
    assert room.client.get(FEEDS, headers=key).status_code == status
    assert room.client.delete(f"{FEEDS}/{feed['id']}", headers=key).status_code == status
    assert room.client.get(feed["url"]).status_code == 200


def test_a_calendar_has_a_limited_number_of_feeds(room: Room) -> None:
    for _ in range(room.app.state.running.settings.calendar_feeds_max):
        made(room)
    refused = room.client.post(FEEDS, json={}, headers=room.key("haisoft", Scope.ADMIN))
    assert (refused.status_code, "SLATIMER_CALENDAR_FEEDS_MAX" in refused.text) == (409, True)


def test_the_log_has_the_path_of_a_feed_without_its_secret(room: Room) -> None:
    path = urlsplit(made(room)["url"]).path
    assert "slf_" in path
    assert logged_path(path) == "/feeds/calendars/***"
    assert logged_path(f"/sla{path}") == "/sla/feeds/calendars/***"
    assert logged_path("/feed/slf_a-b_c.ics") == "/feed/***.ics"
    assert logged_path("/v1/calendars/haisoft/tickets.ics") == "/v1/calendars/haisoft/tickets.ics"


def test_no_metric_of_a_fetch_has_the_secret(room: Room) -> None:
    url = made(room)["url"]
    secret = url.rpartition("/")[2].removesuffix(".ics")
    assert room.client.get(url).status_code == 200
    assert room.client.get(f"/elsewhere/{secret}.ics").status_code == 404
    assert secret not in room.client.get("/metrics").text


def test_a_lead_makes_a_feed_without_a_body(room: Room) -> None:
    response = room.client.post(FEEDS, headers=room.key("haisoft", Role.LEAD))
    assert (response.status_code, response.json()["note"]) == (201, "")


def test_an_unchanged_calendar_is_not_sent_again(room: Room) -> None:
    url = made(room)["url"]
    first = room.client.get(url)
    room.wall.move(60)
    again = room.client.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert room.client.get(url, headers={"If-None-Match": '"other"'}).content == first.content


def test_a_secret_of_any_length_is_unknown_alike(room: Room) -> None:
    assert room.client.get(f"/feeds/calendars/{'x' * 500}.ics").status_code == 404
