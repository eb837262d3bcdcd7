"""What the service says of itself is whole, and the committed copy says the same."""

from pathlib import Path
from typing import Any

import orjson
import pytest

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
        good = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
        if "204" not in operation["responses"]:
            (content,) = good["content"].values()
            assert content["schema"], name


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
            assert "example" in content or "examples" in model, name
    assert [name for name, schema in schemas.items() if not schema.get("description")] == []


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    text = orjson.dumps(document).decode()
    referenced = {part.partition('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert referenced <= document["components"]["schemas"].keys()
    assert referenced


def test_the_committed_document_is_the_codes(document: dict[str, Any]) -> None:
    assert orjson.loads(COMMITTED.read_bytes()) == document, "make openapi"


def test_the_document_is_served_and_no_viewer_from_elsewhere_is(room: Room) -> None:
    assert room.client.get("/openapi.json").json()["openapi"].startswith("3.1")
    assert (room.client.get("/docs").status_code, room.client.get("/redoc").status_code) == (404, 404)
