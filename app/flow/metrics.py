"""Prometheus metrics of the service, in a registry of their own."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

REGISTRY: Final = CollectorRegistry()

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
