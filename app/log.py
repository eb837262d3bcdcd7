"""How does a process say what it does? One JSON object a line on standard error."""

import logging
import sys
from typing import Any

import orjson
import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import Processor


def log_as_json(level: str) -> None:
    """One JSON object a line on standard error, with the id of the request that a line belongs to."""
    numeric = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # What libraries say by Python's own logging takes the same form.
    others = logging.StreamHandler(sys.stderr)
    others.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
                structlog.processors.JSONRenderer(serializer=_dumped),
            ],
        )
    )
    logging.basicConfig(level=max(numeric, logging.WARNING), handlers=[others], force=True)
    structlog.configure(
        processors=[
            *shared,
            # Where it failed, not with what: local values hold bodies of tickets and secrets of connections.
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
