"""What does the service say of itself in numbers? Prometheus' metrics, in a registry of their own."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY: Final = CollectorRegistry()

EVENTS: Final = Counter(
    "slatimer_events", "Events by what became of them.", ["desk", "outcome"], registry=REGISTRY
)
UNKNOWN_TYPES: Final = Counter(
    "slatimer_events_of_unknown_type",
    "Events kept though nobody knows their type.",
    ["desk"],
    registry=REGISTRY,
)
SIGNALS: Final = Counter("slatimer_signals", "Signals told.", ["desk", "kind"], registry=REGISTRY)
EVALUATIONS: Final = Counter("slatimer_evaluations", "Tickets evaluated and stored.", registry=REGISTRY)
FAILURES: Final = Counter(
    "slatimer_evaluation_failures", "Evaluations that failed.", ["desk"], registry=REGISTRY
)
PARKED: Final = Gauge(
    "slatimer_parked_tickets", "Tickets set aside since they cannot be evaluated.", registry=REGISTRY
)
FAULTS: Final = Gauge(
    "slatimer_invariants_broken", "Invariants that did not hold at the last glance.", registry=REGISTRY
)
HEARTBEATS: Final = Counter(
    "slatimer_heartbeats", "Heartbeats by what became of them.", ["outcome"], registry=REGISTRY
)
SWEEP_LAG: Final = Gauge(
    "slatimer_sweep_lag_seconds",
    "How long the oldest ticket that is due has been waiting.",
    registry=REGISTRY,
)
DETECTION_LAG: Final = Histogram(
    "slatimer_breach_detection_lag_seconds",
    "From the instant of a breach to the commit that told it, for those found by the sweep.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600),
    registry=REGISTRY,
)
HOOKS: Final = Counter(
    "slatimer_hooks",
    "Deliveries of ticket systems by what became of them: at the door, and when they were read.",
    ["desk", "system", "outcome"],
    registry=REGISTRY,
)
MAPPING_WARNINGS: Final = Counter(
    "slatimer_mapping_warnings",
    "Words of ticket systems that nobody has mapped.",
    ["desk", "system"],
    registry=REGISTRY,
)
DELIVERIES: Final = Counter(
    "slatimer_deliveries", "Attempts to deliver, by how they ended.", ["outcome"], registry=REGISTRY
)
DELIVERY_DELAY: Final = Histogram(
    "slatimer_delivery_delay_seconds",
    "From the telling of a signal to its arrival.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600, 86400),
    registry=REGISTRY,
)
PENDING_DELIVERIES: Final = Gauge(
    "slatimer_pending_deliveries", "Deliveries on their way.", registry=REGISTRY
)
PARKED_DELIVERIES: Final = Gauge(
    "slatimer_parked_deliveries", "Deliveries that were given up until somebody asks.", registry=REGISTRY
)
