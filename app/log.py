"""Structured logs: one JSON object a line on standard error."""

import logging
import sys
from contextvars import ContextVar
from typing import Any, Final

import orjson
import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor

REQUEST_ID: Final[ContextVar[str | None]] = ContextVar("request_id", default=None)
"""The id of the request that is served in this context. A variable of its own: structlog's are found by a search."""


def log_as_json(level: str) -> None:
    """Configure structlog and `logging`. Each line carries the id of its request."""
    numeric = logging.getLevelNamesMapping()[level]
    shared: list[Processor] = [
        _add_request_id,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Libraries log through `logging`: the same format.
    library_handler = logging.StreamHandler(sys.stderr)
    library_handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
                structlog.processors.JSONRenderer(serializer=_dumped),
            ],
        )
    )
    logging.basicConfig(level=max(numeric, logging.WARNING), handlers=[library_handler], force=True)
    structlog.configure(
        processors=[
            *shared,
            # Tracebacks without local variables: these contain ticket texts and secrets.
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )


def _add_request_id(_logger: object, _level: str, entry: EventDict) -> EventDict:
    if (given := REQUEST_ID.get()) is not None:
        entry.setdefault("request_id", given)
    return entry


def _dumped(entry: dict[str, Any], **_: object) -> str:
    return orjson.dumps(entry, default=str).decode()


def _dumps(entry: dict[str, Any], **_: object) -> bytes:
    return orjson.dumps(entry, default=str)
