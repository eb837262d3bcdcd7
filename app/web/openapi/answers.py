"""What every operation declares besides its own: errors that any request can get, and how it authenticates."""

from typing import Any, Final

from app.web.http.problems import problems

PUBLIC: Final = frozenset({"/healthz", "/readyz", "/metrics", "/session", "/v1/hooks/{desk}/{system}"})
"""Paths that require no key."""

OF_ANY: Final = (400, 500)
"""A NUL character in the query, and a defect."""
OF_STORED: Final = (503,)
"""The database does not answer, or is too busy."""
OF_KEYS: Final = (401, 403, 404)
"""No valid key, a key without the permission, and a desk that the key does not see."""
OF_PATHS: Final = (404,)
"""Nothing has this path."""
OF_PARAMETERS: Final = (422,)
OF_BODIES: Final = (413, 422)

_WITHOUT_DATABASE: Final = frozenset({"/healthz"})
_UNUSED: Final = frozenset({"HTTPValidationError", "ValidationError"})


def complete(path: str, operation: dict[str, Any]) -> None:
    """Declare the responses that any operation of this shape can have, and its authentication."""
    responses = operation["responses"]
    if _UNUSED & set(_references(responses.get("422", {}))):
        del responses["422"]
    for status, response in problems(*sorted(set(_statuses(path, operation)))).items():
        responses.setdefault(str(status), response)
    # Errors by status, after what the route declares as success.
    in_order = sorted(responses.items(), key=lambda item: item[0] if item[0] >= "4" else "")
    operation["responses"] = dict(in_order)
    operation["security"] = [] if path in PUBLIC else [{"key": []}, {"session": []}]


def _statuses(path: str, operation: dict[str, Any]) -> list[int]:
    groups: tuple[tuple[bool, tuple[int, ...]], ...] = (
        (True, OF_ANY),
        (path not in _WITHOUT_DATABASE, OF_STORED),
        (path not in PUBLIC, OF_KEYS),
        ("{" in path, OF_PATHS),
        (bool(operation.get("parameters")), OF_PARAMETERS),
        ("requestBody" in operation, OF_BODIES),
    )
    return [status for applies, statuses in groups if applies for status in statuses]


def _references(response: dict[str, Any]) -> list[str]:
    contents: list[dict[str, Any]] = list(response.get("content", {}).values())
    return [str(content.get("schema", {}).get("$ref", "")).rpartition("/")[2] for content in contents]
