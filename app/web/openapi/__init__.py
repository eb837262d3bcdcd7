"""The OpenAPI document of all routes, generated from the code.

FastAPI generates most of it. Added here: the events that the push route parses itself, the problem document of every
error, authentication, and what clients' generators and linters need. A test compares the committed copy with this.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, cast

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from app.intake.event_data import DATA_OF, CloudEvent
from app.web.api.desks.deadline_question import DeadlineQuestion
from app.web.api.outbound.webhooks import SignalEvent, add_examples
from app.web.api.tickets.signals import SIGNAL_KIND
from app.web.http.access import COOKIE
from app.web.http.problems import ProblemDocument
from app.web.openapi.answers import complete
from app.web.openapi.events import REFERENCE, event_schemas

_MODELS: Final = (
    ProblemDocument,
    DeadlineQuestion,
    CloudEvent,
    SignalEvent,
    *dict.fromkeys(DATA_OF.values()),
)
_UNUSED_SCHEMAS: Final = frozenset({"HTTPValidationError", "ValidationError"})

CONTACT: Final = {"name": "The maintainers of slatimer"}
SERVERS: Final = (
    {"url": "/", "description": "the service that serves this document, under the same origin"},
)
TAGS: Final = {
    "events": "Push what happened.",
    "tickets": "Tickets with their clocks, explanations and events.",
    "queues": "Waiting tickets in order, and forecasts.",
    "reports": "Figures by period and split, and the clocks behind each.",
    "simulations": "What recorded tickets would have come to under other hours, targets or contracts.",
    "breaches": "What was late, and who has seen it.",
    "contracts": "What customers have bought, and how what is agreed with them stands.",
    "signals": "What was recorded, in order: by pages, or live.",
    "subscriptions": "Outbound webhooks and messages to people.",
    "webhooks": "The requests that the service makes to subscribers.",
    "availability": "Uptimes of services, resources and contracts.",
    "desks": "Desks, now.",
    "calendars": "Opening hours and special days.",
    "agreements": "Commitments and their targets.",
    "deadlines": "Deadlines without a ticket.",
    "hooks": "Webhooks of ticket systems.",
    "connections": "Ticket systems and monitors that send to a desk.",
    "embedding": "Clocks of a ticket inside other systems' pages.",
    "inbox": "What could not be read or evaluated.",
    "audit": "Sign-ins, and what administrators did.",
    "people": "People, their roles and sessions, API keys, and what people change about themselves.",
    "session": "Sign-in of the pages.",
    "health": "Liveness, readiness, metrics.",
}


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The complete OpenAPI document of an app, as plain JSON values."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        webhooks=app.webhooks.routes,
        tags=[{"name": name, "description": about} for name, about in TAGS.items()],
        servers=list(SERVERS),
        contact=CONTACT,
    )
    add_examples(document)
    components = document.setdefault("components", {})
    components["schemas"] = _schemas(components.get("schemas", {}))
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
            complete(path, operation)
    for operations in document.get("webhooks", {}).values():
        operations["post"]["security"] = []
    _write_bounds(document)
    _name_kinds(document)
    return document


def _schemas(of_routes: dict[str, Any]) -> dict[str, Any]:
    """All schemas by name. FastAPI's own validation errors are left out: this service responds with problems."""
    _, described = models_json_schema(
        [(model, "validation") for model in _MODELS], ref_template=REFERENCE, title=None
    )
    schemas = of_routes | described["$defs"]
    schemas |= event_schemas(schemas) | {"SignalKind": {"description": "A kind of signal."} | SIGNAL_KIND}
    for schema in schemas.values():
        _make_defaults_optional(schema)
    return {name: schemas[name] for name in sorted(schemas.keys() - _UNUSED_SCHEMAS)}


def _make_defaults_optional(schema: dict[str, Any]) -> None:
    """Write the default of a field into its description: generators take a field with `default` for one that is always
    there, and then ask a caller for it."""
    for field in schema.get("properties", {}).values():
        if "default" in field:
            shown = repr(field.pop("default")).replace("'", '"')
            field["description"] = "; ".join(filter(None, (field.get("description"), f"default {shown}")))


_BOUNDS: Final = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}
"""Pydantic's names for the bounds of a number behind a validator, and JSON Schema's."""


def _write_bounds(document: dict[str, Any]) -> None:
    """Give bounds the names that JSON Schema has for them."""
    for schema in _objects(document, lambda value: bool(_BOUNDS.keys() & value.keys())):
        for name in _BOUNDS.keys() & schema.keys():
            schema[_BOUNDS[name]] = schema.pop(name)


def _name_kinds(document: dict[str, Any]) -> None:
    """Refer to the kinds of signals by name wherever they are listed, so that generators make one type of them."""

    def is_listed(value: dict[str, Any]) -> bool:
        return value.get("enum") == SIGNAL_KIND["enum"] and value is not named

    named = document["components"]["schemas"]["SignalKind"]
    for found in list(_objects(document, is_listed)):
        found.pop("enum")
        found.pop("type")
        found["$ref"] = REFERENCE.format(model="SignalKind")


def _objects(value: Any, wanted: Callable[[dict[str, Any]], bool]) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for each in cast("list[Any]", value):
            yield from _objects(each, wanted)
    elif isinstance(value, dict):
        found = cast("dict[str, Any]", value)
        if wanted(found):
            yield found
        for each in list(found.values()):
            yield from _objects(each, wanted)


class Documented(FastAPI):
    """An app whose OpenAPI document is the complete one."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, generated once."""
        if self.openapi_schema is None:
            self.openapi_schema = openapi_document(self)
        return self.openapi_schema
