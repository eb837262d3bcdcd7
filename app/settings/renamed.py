"""Former names of settings, and warnings about the environment.

A renamed setting is read under its former name for one release. If both names are set, the new one wins. Names are
compared without case, as pydantic-settings compares them.
"""

import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

PREFIX: Final = "SLATIMER_"

RENAMED: Final[Mapping[str, str]] = {
    "database_connect": "database_connect_timeout",
    "database_patience": "database_statement_timeout",
    "deliver_answer": "delivery_max_response_size",
    "deliver_connect": "delivery_connect_timeout",
    "deliver_look": "delivery_poll_interval",
    "deliver_parallel": "delivery_concurrency",
    "deliver_retry_after": "delivery_retry_after_max",
    "deliver_spread": "delivery_retry_jitter",
    "deliver_timeout": "delivery_timeout",
    "deliver_waits": "delivery_retry_schedule",
    "endpoint_downtime": "endpoint_max_downtime",
    "endpoint_failures": "endpoint_max_failures",
    "fold_after": "archive_after",
    "glance_kept": "readiness_cache_ttl",
    "group_max": "group_commit_size",
    "heartbeat_every": "heartbeat_interval",
    "hook_body": "inbound_max_body_size",
    "hooks_kept": "inbound_retention",
    "job_most": "worker_concurrency",
    "job_poll": "worker_poll_interval",
    "keep_look": "retention_interval",
    "max_body": "max_body_size",
    "max_text": "max_text_length",
    "notice_gap": "notification_group_interval",
    "notice_language": "notification_language",
    "notice_schemes": "notification_schemes",
    "notice_wait": "notification_group_wait",
    "page_guest": "guest_sign_in",
    "page_limit": "max_page_size",
    "park_first": "evaluation_backoff_initial",
    "park_longest": "evaluation_backoff_max",
    "parts_ahead": "partitions_ahead",
    "read_batch": "inbound_batch_size",
    "read_safety": "inbound_poll_interval",
    "read_share": "inbound_duty_cycle",
    "read_tries": "inbound_max_attempts",
    "readers": "database_read_pool_size",
    "recent": "delivery_max_age",
    "redis_connect": "redis_connect_timeout",
    "secret_overlap": "secret_grace_period",
    "shutdown_grace": "graceful_timeout",
    "stream_look": "stream_poll_interval",
    "stream_queue": "stream_buffer_size",
    "sweep_batch": "sweep_batch_size",
    "sweep_safety": "sweep_poll_interval",
    "transaction_patience": "database_idle_in_transaction_timeout",
    "worker_net": "worker_sweep_interval",
}
"""Former name of each renamed setting, with the name that replaces it. Removed in the release after 0.2."""

_PLATFORM: Final = ("SLATIMER_SERVICE_", "SLATIMER_PORT_")
"""Prefixes of the variables that Kubernetes sets for a Service named `slatimer`; they are not settings."""


def variable(setting: str) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{setting.upper()}"


def set_in(environ: Mapping[str, str]) -> dict[str, str]:
    """The values of all set SLATIMER_ variables by setting name, in lower case. An empty value counts as not set."""
    return {
        name[len(PREFIX) :].lower(): value
        for name, value in environ.items()
        if value and name.upper().startswith(PREFIX) and not name.upper().startswith(_PLATFORM)
    }


class FormerNames(PydanticBaseSettingsSource):
    """Settings source that reads environment variables under their former names."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Unused: `__call__` returns all values at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """The values found, by new name."""
        given = set_in(os.environ)
        return {new: given[old] for old, new in RENAMED.items() if old in given}


def environment_warnings(environ: Mapping[str, str], known: Mapping[str, object]) -> Iterator[str]:
    """One line for each former name and for each unknown SLATIMER_ variable. `known` is `Settings.model_fields`."""
    given = set_in(environ)
    for name in sorted(given.keys() - known.keys()):
        if (new := RENAMED.get(name)) is None:
            yield _unknown(name, known)
        elif new in given:
            yield f"{variable(name)} is ignored: {variable(new)} replaces it and is set as well"
        else:
            yield f"{variable(name)} is deprecated and will be removed: use {variable(new)}"


def _unknown(name: str, known: Mapping[str, object]) -> str:
    nearest = get_close_matches(name, [*known, *RENAMED], n=1)
    if not nearest:
        return f"{variable(name)} is not a setting"
    return f"{variable(name)} is not a setting. Did you mean {variable(RENAMED.get(nearest[0], nearest[0]))}?"
