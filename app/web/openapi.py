"""The OpenAPI document of all routes, generated from the code.

FastAPI generates most of it. Added here: the events that the push route parses itself, the problem document of every
error, and authentication. A test compares the committed copy with this.
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
"""Paths that require no key."""

_REFERENCE: Final = "#/components/schemas/{model}"
_MODELS: Final = (
    ProblemDocument,
    DeadlineQuestion,
    CloudEvent,
    SignalEvent,
    *dict.fromkeys(DATA_OF.values()),
)


_UNUSED_SCHEMAS: Final = frozenset({"HTTPValidationError", "ValidationError"})


def _references(response: dict[str, Any]) -> list[str]:
    contents: list[dict[str, Any]] = list(response.get("content", {}).values())
    return [str(content.get("schema", {}).get("$ref", "")).rpartition("/")[2] for content in contents]


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The complete OpenAPI document of an app, as plain JSON values."""
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
    # FastAPI's own validation errors: this service responds with problem documents instead.
    components["schemas"] = {name: schemas[name] for name in sorted(schemas.keys() - _UNUSED_SCHEMAS)}
    components["securitySchemes"] = {
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": "a key, created with `slatimer key create`",
        },
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "a page's session"},
    }
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if _UNUSED_SCHEMAS & set(_references(operation["responses"].get("422", {}))):
                del operation["responses"]["422"]
            operation["security"] = [] if path in PUBLIC else [{"key": []}, {"session": []}]
    return document


class Documented(FastAPI):
    """An app whose OpenAPI document is the complete one."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, generated once."""
        if self.openapi_schema is None:
            self.openapi_schema = openapi_document(self)
        return self.openapi_schema
