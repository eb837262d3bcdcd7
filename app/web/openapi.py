"""What does the service say of itself? The OpenAPI document of all routes, made from the code.

FastAPI describes what it knows; added here are the things that it does not: the events that the raw push route reads,
the problem document of every error, and how to sign in. The committed copy is compared with this by a test.
"""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from app.intake.event_data import DATA_OF, CloudEvent
from app.web.api.desks.deadlines import DeadlineQuestion
from app.web.api.outbound.webhooks import SignalEvent, add_examples
from app.web.http.access import COOKIE
from app.web.http.problems import ProblemDocument

PUBLIC: Final = frozenset({"/healthz", "/readyz", "/metrics", "/session", "/v1/hooks/{desk}/{system}"})
"""Paths that ask for no key."""

_REFERENCE: Final = "#/components/schemas/{model}"
_MODELS: Final = (
    ProblemDocument,
    DeadlineQuestion,
    CloudEvent,
    SignalEvent,
    *dict.fromkeys(DATA_OF.values()),
)


_NOT_OURS: Final = frozenset({"HTTPValidationError", "ValidationError"})


def _references(response: dict[str, Any]) -> list[str]:
    contents: list[dict[str, Any]] = list(response.get("content", {}).values())
    return [str(content.get("schema", {}).get("$ref", "")).rpartition("/")[2] for content in contents]


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The app's OpenAPI document, complete, as plain JSON values."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        webhooks=app.webhooks.routes,
        tags=app.openapi_tags,
    )
    add_examples(document)
    components = document.setdefault("components", {})
    _, described = models_json_schema(
        [(model, "validation") for model in _MODELS], ref_template=_REFERENCE, title=None
    )
    schemas = components.setdefault("schemas", {}) | described["$defs"]
    # FastAPI's own shape of a validation error: this service answers with problems instead.
    components["schemas"] = {name: schemas[name] for name in sorted(schemas.keys() - _NOT_OURS)}
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "a key made by `slatimer key create`"},
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "a page's session"},
    }
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if _NOT_OURS & set(_references(operation["responses"].get("422", {}))):
                del operation["responses"]["422"]
            operation["security"] = [] if path in PUBLIC else [{"key": []}, {"session": []}]
    return document


class Documented(FastAPI):
    """An app whose document is the complete one."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document; made once."""
        if self.openapi_schema is None:
            self.openapi_schema = openapi_document(self)
        return self.openapi_schema
