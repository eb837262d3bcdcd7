"""What the service says of itself is whole, and the committed copy says the same."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.flow.outbound.subscribe import KINDS
from app.intake.event_data import DATA_OF
from app.main import create_app
from app.settings import Settings
from app.web.http.problems import MEDIA_TYPE
from app.web.openapi import openapi_document
from tests.web.room import Room

COMMITTED = Path(__file__).resolve().parent.parent.parent / "openapi" / "openapi.json"


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    unused = tmp_path_factory.mktemp("openapi") / "unused.db"
    return openapi_document(create_app(Settings(database_url=f"sqlite:///{unused}")))


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_route_says_what_it_is_for_and_shows_an_answer(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert operation["summary"], name
        assert len(operation["description"]) > 20, name
        good = next(answer for status, answer in operation["responses"].items() if status < "400")
        if not {"204", "303"} & operation["responses"].keys():
            assert all(content["schema"] for content in good["content"].values()), name


def test_every_route_declares_its_errors_as_problems(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        declared = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        for status, answer in declared.items():
            (content,) = answer["content"].items()
            assert content[0] == MEDIA_TYPE, (name, status)
            assert content[1]["schema"] == {"$ref": "#/components/schemas/ProblemDocument"}, (name, status)
        if operation["security"]:
            assert {"401", "403"} <= declared.keys(), name
        if "requestBody" in operation:
            assert {"400", "413", "422"} <= declared.keys(), name
        if operation.get("parameters"):
            assert {"404", "422"} & declared.keys(), name


def test_every_body_has_an_example_and_every_model_a_description(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name, operation in operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            model = schemas.get(content["schema"].get("$ref", "").rpartition("/")[2], {})
            assert {"example", "examples"} & {*content, *content["schema"], *model}, name
    assert [name for name, schema in schemas.items() if not schema.get("description")] == []


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    text = orjson.dumps(document).decode()
    referenced = {part.partition('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert referenced <= document["components"]["schemas"].keys()
    assert referenced


def test_the_committed_document_is_the_codes(document: dict[str, Any]) -> None:
    assert orjson.loads(COMMITTED.read_bytes()) == document, "make openapi"


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(each)


def test_operations_have_plain_unique_names(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)*", name)] == []
    assert len(names) == len(set(names))
    assert {"push_events", "show_ticket", "list_tickets", "create_subscription", "stream_signals"} <= {*names}


def test_bounds_have_the_names_of_json_schema(document: dict[str, Any]) -> None:
    assert [found for found in objects(document) if {"ge", "le", "gt", "lt"} & found.keys()] == []
    (after,) = (
        parameter["schema"]
        for parameter in document["paths"]["/v1/signals"]["get"]["parameters"]
        if parameter["name"] == "after"
    )
    assert {"type": "integer", "minimum": 0, "maximum": 2**63 - 1} in after["anyOf"]


def test_the_document_names_its_server_contact_and_tags(document: dict[str, Any]) -> None:
    assert document["servers"][0]["url"] == "/"
    assert document["info"]["contact"]["name"]
    described = {tag["name"] for tag in document["tags"] if tag["description"]}
    used = {tag for _, operation in operations(document) for tag in operation["tags"]} | {"webhooks"}
    assert used == described


def test_webhooks_need_no_key_of_this_service(document: dict[str, Any]) -> None:
    assert [hook["post"]["security"] for hook in document["webhooks"].values()] == [[]] * (len(KINDS) + 1)


def test_the_type_of_an_event_decides_the_fields_of_its_data(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    mapping = schemas["KnownEvent"]["discriminator"]["mapping"]
    assert mapping.keys() == {kind.value for kind in DATA_OF}
    for kind, model in DATA_OF.items():
        event = schemas[mapping[kind.value].rpartition("/")[2]]
        data = event["properties"]["data"]
        assert {"$ref": f"#/components/schemas/{model.__name__}"} in (data, *data.get("anyOf", ()))
        declared = event["properties"]["type"]
        assert kind.value in declared.get("enum", [declared.get("const")])
    assert {*mapping} == {*schemas["OtherEvent"]["properties"]["type"]["not"]["enum"]}


def test_kinds_are_one_named_enumeration(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["SignalKind"]["enum"] == list(KINDS)
    kind = {"$ref": "#/components/schemas/SignalKind"}
    assert schemas["NewSubscription"]["properties"]["kinds"]["items"] == kind
    assert schemas["SubscriptionView"]["properties"]["kinds"]["items"] == kind
    assert schemas["Signal"]["properties"]["kind"]["$ref"] == kind["$ref"]


def test_a_body_has_one_content_type_that_clients_know(document: dict[str, Any]) -> None:
    events = document["paths"]["/v1/events"]["post"]["requestBody"]
    assert list(events["content"]) == ["application/json"]
    assert "application/cloudevents-batch+json" in events["description"]


def test_fields_with_a_default_are_optional_and_say_it(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    fields = [
        (name, field)
        for name, schema in schemas.items()
        for field, described in schema.get("properties", {}).items()
        if "default" in described
    ]
    assert fields == []
    assert schemas["NewSubscription"]["required"] == ["desk", "kinds", "url"]
    assert schemas["NewSubscription"]["properties"]["channel"]["description"].endswith('default "webhook"')


def test_every_operation_declares_the_answer_to_a_nul_character_and_to_a_defect(
    document: dict[str, Any], room: Room
) -> None:
    for name, operation in operations(document):
        assert {"400", "500"} <= operation["responses"].keys(), name
    assert room.client.get("/v1/agreements?x=%00", headers=room.read).status_code == 400


def test_the_document_is_served_and_no_viewer_from_elsewhere_is(room: Room) -> None:
    assert room.client.get("/openapi.json").json()["openapi"].startswith("3.1")
    assert (room.client.get("/docs").status_code, room.client.get("/redoc").status_code) == (404, 404)
