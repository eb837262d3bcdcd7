"""Which set-up and which faults: FAULTS=any, clocks or disk, on DATABASE=postgresql or sqlite."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from tests.chaos.disk import SmallDisk
from tests.chaos.fault import (
    ALONE,
    FAULTS,
    OF_THE_DISK,
    WITH_WRONG_CLOCKS,
    Fault,
    after_clocks_set,
    clocks_set,
    faults_of,
)
from tests.chaos.fleet import DISK, Alone, Fleet, SetUp

POSTGRESQL: Final = "postgresql"
SQLITE: Final = "sqlite"
ANY: Final = "any"
CLOCKS: Final = "clocks"
OF_DISKS: Final = "disk"


@dataclass(frozen=True, slots=True)
class Plan:
    """A set-up and its faults. Raises ValueError for one that does not exist."""

    faults: str = ANY
    database: str = POSTGRESQL

    def __post_init__(self) -> None:
        if self.database not in (POSTGRESQL, SQLITE):
            raise ValueError(f"DATABASE is {POSTGRESQL} or {SQLITE}, not {self.database}")
        if self.faults not in (ANY, CLOCKS, OF_DISKS):
            raise ValueError(f"FAULTS is {ANY}, {CLOCKS} or {OF_DISKS}, not {self.faults}")
        if (self.faults, self.database) == (CLOCKS, SQLITE):
            # There the machine's clock is the only one: a wrong clock is wrong for all that is recorded.
            raise ValueError(f"FAULTS={CLOCKS} needs DATABASE={POSTGRESQL}, whose server has the time")

    @contextmanager
    def set_up(self, folder: Path) -> Generator[tuple[SetUp, Mapping[str, Fault]]]:
        """The set-up with its faults. It ends with the context."""
        disk = SmallDisk(DISK) if self.faults == OF_DISKS else None
        if self.database == SQLITE:
            with Alone(folder, disk) as alone:
                yield alone, faults_of(alone, OF_THE_DISK if disk else ALONE)
            return
        with Fleet(folder, disk) as fleet:
            yield fleet, self._of(fleet)

    def _of(self, fleet: Fleet) -> Mapping[str, Fault]:
        if self.faults == OF_DISKS:
            return faults_of(fleet, OF_THE_DISK)
        if self.faults == CLOCKS:
            clocks_set(fleet, Random(0))  # before they start: only then they have clock files
            return after_clocks_set(fleet, faults_of(fleet, WITH_WRONG_CLOCKS))
        return faults_of(fleet, FAULTS)
