"""Structured logs: one JSON object a line on standard error."""

import logging
import sys
from typing import Any

import orjson
import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import Processor


def log_as_json(level: str) -> None:
    """Configure structlog and `logging`. Each line carries the id of its request."""
    numeric = logging.getLevelNamesMapping()[level]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
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


def _dumped(entry: dict[str, Any], **_: object) -> str:
    return orjson.dumps(entry, default=str).decode()


def _dumps(entry: dict[str, Any], **_: object) -> bytes:
    return orjson.dumps(entry, default=str)
