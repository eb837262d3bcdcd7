"""The set-up of the chaos harness on two PostgreSQL servers: a primary and its synchronous standby."""

import time
from pathlib import Path
from random import Random
from typing import Final

from tests.chaos.fault import Outage, now
from tests.chaos.fleet import Fleet
from tests.chaos.pusher import ACKNOWLEDGED
from tests.servers.postgres import Postgres, installations
from tests.servers.process import HOST
from tests.waiting import until

_NOTICED_AFTER: Final = (0.0, 2.0)
"""Seconds from the kill to the promotion: what a failover manager needs to be sure."""


class Pair(Fleet):
    """All processes, which know both hosts. `postgres` is the primary of the moment."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.renew_standby()

    def new_server(self) -> Postgres:
        """The first primary, and a place for its standby."""
        primary = super().new_server()
        self.standby = Postgres(installations()[0], durable=True)
        return primary

    def new_database(self) -> str:
        """A URL with both hosts."""
        places = [f"{HOST}:{server.port}" for server in (self.postgres, self.standby)]
        hosts = "&".join(f"host={place}" for place in places)
        return super().new_database().replace(f"@{places[0]}/", "@/") + f"?{hosts}"

    def fail_over(self, chance: Random) -> Outage:
        """Kill the primary and promote the standby. Returns when both web processes take pushes again."""
        began_at = now()
        self.postgres.kill()
        self.postgres, self.standby = self.standby, self.postgres
        time.sleep(chance.uniform(*_NOTICED_AFTER))
        self.postgres.promote()
        promoted_at = now()
        acknowledged = (self.folder / ACKNOWLEDGED).stat().st_size
        until(lambda: (self.folder / ACKNOWLEDGED).stat().st_size > acknowledged)
        for web in self.webs:
            web.wait()
        detail = f"promoted after {(promoted_at - began_at) / 1e6:.1f} s"
        return Outage("primary killed", detail, began_at, now())

    def renew_standby(self) -> None:
        """Make the server that does not run the synchronous standby of the primary."""
        self.standby.follow(self.postgres)
        self.postgres.require_standby()

    def close(self) -> None:
        """End everything."""
        super().close()
        self.standby.close()

    def _environment_of(self, worker: int) -> dict[str, str]:
        return self.environment
