"""Generated requests to every operation, writing ones too: each answer is one that the document declares.

Valid and invalid ones, the same in every run.
"""

from collections.abc import Mapping
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from app.main import create_app
from app.settings import Settings
from app.web.openapi import openapi_document
from tests.servers.slatimer import Service
from tests.waiting import HANG

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
ENDLESS: Final = "/v1/stream"
"""Answers for as long as a client listens; tested by tests/web/test_process.py."""
EXAMPLES: Final = 6
"""Of each operation in each mode."""

DOCUMENT: Final = openapi_document(create_app(Settings()))
SCHEMA: Final = schemathesis.openapi.from_dict(DOCUMENT)


def cases_of(operation: Mapping[str, Any]) -> list[GenerationMode]:
    """Both modes, or valid requests alone where nothing that is sent can be invalid."""
    queried = any(parameter["in"] == "query" for parameter in operation.get("parameters", ()))
    has_json = "application/json" in operation.get("requestBody", {}).get("content", {})
    return list(GenerationMode) if queried or has_json else [GenerationMode.POSITIVE]


OPERATIONS: Final = [
    (path, method, mode)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
    for mode in cases_of(operation)
    if path != ENDLESS
]


@pytest.fixture(scope="module")
def headers(running: Service) -> dict[str, str]:
    running.prepare()
    secret = running.command("key", "create", "--desk", "*", "--scope", "admin").strip()
    return {"Authorization": f"Bearer {secret}"}


@pytest.mark.parametrize(("path", "method", "mode"), OPERATIONS)
def test_an_answer_is_one_that_the_document_declares(
    running: Service, headers: dict[str, str], path: str, method: str, mode: GenerationMode
) -> None:
    operation = SCHEMA[path][method]

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(operation.as_strategy(generation_mode=mode))
    def answered(case: Case[Any]) -> None:
        response = case.call(base_url=running.base, headers=headers, timeout=HANG)
        # Of a parameter that is repeated the last one counts, as in most frameworks: no schema can say that. A list is
        # sent as one, and an object with the names of its members as values.
        repeated = any(isinstance(value, list | dict) for value in (case.query or {}).values())
        checks = [check for check in CHECKS if not (repeated and check is negative_data_rejection)]
        case.validate_response(response, checks=checks)

    answered()
