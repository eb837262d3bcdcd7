"""Prometheus metrics of the service, in a registry of their own."""

import platform
from collections.abc import Iterable
from importlib.metadata import version
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from app.delivery.outcome import DeliveryOutcome

# Twice the series for an instant that `process_start_time_seconds` gives.
disable_created_metrics()

REGISTRY: Final = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
Info("slatimer_build", "The release that runs.", registry=REGISTRY).info(
    {"version": version("slatimer"), "python": platform.python_version()}
)

EVENTS: Final = Counter("slatimer_events", "Events by outcome.", ["desk", "outcome"], registry=REGISTRY)
UNKNOWN_TYPES: Final = Counter(
    "slatimer_events_of_unknown_type",
    "Stored events of an unknown type.",
    ["desk"],
    registry=REGISTRY,
)
SIGNALS: Final = Counter("slatimer_signals", "Signals recorded.", ["desk", "kind"], registry=REGISTRY)
EVALUATIONS: Final = Counter(
    "slatimer_evaluations", "Evaluations of tickets that were stored.", registry=REGISTRY
)
FAILURES: Final = Counter(
    "slatimer_evaluation_failures", "Evaluations that failed.", ["desk"], registry=REGISTRY
)
PARKED: Final = Gauge(
    "slatimer_parked_tickets", "Tickets that cannot be evaluated and are parked.", registry=REGISTRY
)
FAULTS: Final = Gauge(
    "slatimer_invariants_broken", "Invariant checks that failed in the last health report.", registry=REGISTRY
)
HEARTBEATS: Final = Counter("slatimer_heartbeats", "Heartbeats by outcome.", ["outcome"], registry=REGISTRY)
SWEEP_LAG: Final = Gauge(
    "slatimer_sweep_lag_seconds",
    "Time since the oldest due ticket came due.",
    registry=REGISTRY,
)
REPLICA_LAG: Final = Gauge(
    "slatimer_replica_lag_seconds",
    "How far the read replica is behind; NaN without one, or if it is not known.",
    registry=REGISTRY,
)
REPLICA_LAG.set(float("nan"))
REPLICA_READS: Final = Counter(
    "slatimer_replica_reads",
    "Reads that may use the replica, by the server that answered: replica, primary.",
    ["server"],
    registry=REGISTRY,
)
DETECTION_LAG: Final = Histogram(
    "slatimer_breach_detection_lag_seconds",
    "Time from a breach to the commit that recorded it, for breaches found by the sweep.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600),
    registry=REGISTRY,
)
HOOKS: Final = Counter(
    "slatimer_inbound_webhooks",
    "Inbound webhooks by outcome: on receipt, and on interpretation.",
    ["desk", "system", "outcome"],
    registry=REGISTRY,
)
MAPPING_WARNINGS: Final = Counter(
    "slatimer_mapping_warnings",
    "Values of ticket systems without a mapping.",
    ["desk", "system"],
    registry=REGISTRY,
)
DELIVERIES: Final = Counter(
    "slatimer_deliveries", "Delivery attempts by outcome.", ["outcome"], registry=REGISTRY
)
DELIVERY_DELAY: Final = Histogram(
    "slatimer_delivery_delay_seconds",
    "Time from the recording of a signal to its successful delivery.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600, 86400),
    registry=REGISTRY,
)
PENDING_DELIVERIES: Final = Gauge(
    "slatimer_pending_deliveries", "Deliveries not yet attempted successfully.", registry=REGISTRY
)
PARKED_DELIVERIES: Final = Gauge(
    "slatimer_parked_deliveries",
    "Deliveries that failed at every attempt and wait for a manual retry.",
    registry=REGISTRY,
)


REQUESTS: Final = Histogram(
    "slatimer_http_request_duration_seconds",
    "Time to answer, by the template of the route, method and class of status.",
    ["route", "method", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
    registry=REGISTRY,
)
FORMER_REQUESTS: Final = Histogram(
    "slatimer_request_seconds",
    "Deprecated, use slatimer_http_request_duration_seconds.",
    ["method", "route", "status"],
    registry=REGISTRY,
)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request. `route` is a template and a method no word of a caller's own, so that series stay bounded."""
    known = method if method in _METHODS else "other"
    REQUESTS.labels(route, known, f"{status // 100}xx").observe(seconds)
    FORMER_REQUESTS.labels(known, route, status).observe(seconds)


CLOCKS_OPEN: Final = Gauge(
    "slatimer_clocks_open",
    "Clocks that await their start, run or are paused.",
    ["desk", "commitment"],
    registry=REGISTRY,
)
CLOCKS_AT_RISK: Final = Gauge(
    "slatimer_clocks_at_risk", "Running clocks that are due soon.", ["desk", "commitment"], registry=REGISTRY
)
CLOCKS_OVERDUE: Final = Gauge(
    "slatimer_clocks_overdue",
    "Running clocks past their due date.",
    ["desk", "commitment"],
    registry=REGISTRY,
)

_EVENT_OUTCOMES: Final = ("accepted", "repeated", "conflict", "refused")
_HEARTBEAT_OUTCOMES: Final = ("sent", "withheld", "failed")

for _outcome in _HEARTBEAT_OUTCOMES:
    HEARTBEATS.labels(_outcome)
for _outcome in DeliveryOutcome:
    DELIVERIES.labels(_outcome)
EVENTS.labels("", "refused")


def declare(desks: Iterable[str], kinds: Iterable[str]) -> None:
    """Let the counters of these desks begin at 0: a rate over a counter that appears with its first event misses it."""
    kinds = tuple(kinds)
    for desk in desks:
        for outcome in _EVENT_OUTCOMES:
            EVENTS.labels(desk, outcome)
        for kind in kinds:
            SIGNALS.labels(desk, kind)
        UNKNOWN_TYPES.labels(desk)
        FAILURES.labels(desk)


class FormerName(Collector):
    """The samples of a renamed metric under its former name, for one release."""

    def __init__(self, former: str, metric: Counter) -> None:
        self._former, self._metric = former, metric

    def collect(self) -> Iterable[Metric]:
        """The metric with its name and its samples renamed."""
        for metric in self._metric.collect():
            renamed = Metric(
                self._former, f"Deprecated, use {metric.name}. {metric.documentation}", metric.type
            )
            for sample in metric.samples:
                renamed.add_sample(
                    sample.name.replace(metric.name, self._former, 1),
                    sample.labels,
                    sample.value,
                    sample.timestamp,
                )
            yield renamed


REGISTRY.register(FormerName("slatimer_hooks", HOOKS))
