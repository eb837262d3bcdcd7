"""The routes of the app and what calls them: one flat table, no thread for an error, no search for parameters."""

import inspect
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from app.main import ROUTERS, create_app
from app.settings import Settings
from app.web.http.access import Recorder
from app.web.http.arrival import PENDING_BYTES, BodyMemory, report
from app.web.http.routing import called_directly
from tests.web.room import Room


def test_the_app_has_the_routes_of_its_routers_and_its_own_document() -> None:
    own = [route for router in ROUTERS for route in router.routes]
    others = [route for route in create_app(Settings()).routes if route not in own]
    assert [getattr(route, "path", None) for route in others] == ["/openapi.json"]


def test_no_error_is_answered_in_a_thread() -> None:
    handlers = create_app(Settings()).exception_handlers
    assert {key for key, handler in handlers.items() if not inspect.iscoroutinefunction(handler)} == set()


@pytest.mark.parametrize(
    ("asked", "location"),
    [
        ("/breaches/", "/breaches"),
        ("/breaches//?show=all&q=a%20b", "/breaches?show=all&q=a%20b"),
        ("/queues/h%20x/support/", "/queues/h%20x/support"),
        ("/v1/breaches/", "/v1/breaches"),
        ("/nothing/", None),
        ("//evil.example/", None),
        ("//evil.example/breaches/", None),
        ("//breaches/", None),
        ("///", None),
    ],
)
def test_a_slash_too_many_leads_to_the_address_without_it_on_the_same_host(
    shared_room: Room, asked: str, location: str | None
) -> None:
    client = shared_room.client
    answer = client.get(
        f"http://testserver{asked}",
        headers=shared_room.read | {"Host": "evil.example"},
        follow_redirects=False,
    )
    assert answer.headers.get("location") == location
    assert answer.status_code == (404 if location is None else 307)


async def _takes_a_desk(request: Request, caller: Recorder, desk: str) -> Response:
    return Response(f"{request.url} {caller} {desk}")


async def _takes_no_caller(request: Request) -> Response:
    return Response(str(request.url))


@pytest.mark.parametrize("endpoint", [_takes_a_desk, _takes_no_caller])
def test_an_endpoint_with_other_parameters_cannot_be_called_directly(endpoint: Any) -> None:
    with pytest.raises(TypeError, match="other parameters than request and caller"):
        called_directly(endpoint)


def test_the_metric_of_bodies_shows_those_of_keys_and_public_ones() -> None:
    of_keys, public = BodyMemory(100), BodyMemory(100)
    report(of_keys, public)
    assert of_keys.take(30)
    assert public.take(12)
    of_keys.release(10)
    (metric,) = PENDING_BYTES.collect()
    assert [sample.value for sample in metric.samples] == [32]
