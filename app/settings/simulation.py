"""Settings of simulations: how long, how large, how many at a time, and how long results are kept."""

from datetime import timedelta

from pydantic import Field

from app.settings.group import SettingsGroup


class SimulationSettings(SettingsGroup):
    """Simulations"""

    simulation_timeout: timedelta = Field(
        default=timedelta(minutes=30),
        ge=timedelta(seconds=1),
        description="Time after which a simulation is ended as failed. 100,000 tickets take some minutes.",
    )
    simulation_memory_max: int = Field(
        default=2_000_000_000,
        ge=500_000_000,
        description="Address space of the process of a simulation, in bytes; more than it uses, since libraries and "
        "threads reserve some of it. A simulation that needs more fails.",
    )
    simulation_processes_max: int = Field(
        default=1,
        ge=1,
        description="Simulations that one web process runs at a time; those of further desks wait. Each uses one "
        "processor, with low priority.",
    )
    simulation_heartbeat_timeout: timedelta = Field(
        default=timedelta(seconds=30),
        ge=timedelta(seconds=3),
        description="A simulation whose process has not reported for this time counts as failed, as after a restart. It "
        "reports three times in it.",
    )
    simulation_span_max: timedelta = Field(
        default=timedelta(days=3653),
        ge=timedelta(days=1),
        description="Span of one simulation: ten years, as for reports.",
    )
    simulation_changes_max: int = Field(
        default=200,
        ge=1,
        description="Single changes of one simulation. Who changes more sends a file.",
    )
    simulation_flips_max: int = Field(
        default=20_000,
        ge=1,
        description="Flips that a result lists; further ones are counted. At some 1,000 bytes each they are 20 MB.",
    )
    simulations_kept_max: int = Field(
        default=20,
        ge=1,
        description="Ended simulations that a desk keeps; the oldest is removed for a new one.",
    )
    keep_simulations: timedelta = Field(
        default=timedelta(days=30),
        ge=timedelta(minutes=1),
        description="Retention of ended simulations. Their figures are of the log as it was then.",
    )
