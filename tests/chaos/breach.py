"""What is compared: a breach, by what it is a breach of. Instants are microseconds UTC."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Clock:
    """Which clock: `cycle` is the instant of the message that opened it, 0 where there is one clock only.

    Of an uptime, `ticket` is the service's subject, `cycle` the beginning of the month, `resource` which it is of.
    """

    ticket: str
    commitment: str
    cycle: int
    resource: str = ""


@dataclass(frozen=True, slots=True)
class Breach:
    """A breach of a clock or an uptime: its instant and the kind of its signal."""

    clock: Clock
    at: int
    kind: str
