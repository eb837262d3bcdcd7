"""Load on one address: so many connections, each waiting for its answer before it sends the next event.

Uses wrk where it is installed, since it costs the least; else a client of its own in a process of its own.
"""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LUA: Final = """
local count = 0
local kinds = {
  {"ticket.created", '{"title":"Server %%d down","customer":"ACME","service":"dedicated","priority":"high"}'},
  {"status.changed", '{"status":"open"}'},
  {"customer.replied", '{"author":"customer","text":"Is there any news of this?"}'},
  {"agent.replied", '{"author":"agent","text":"We are looking into it."}'},
}
request = function()
  count = count + 1
  local kind = kinds[(count - 1) %% 4 + 1]
  local ticket = math.floor((count - 1) / 4)
  local body = '{"specversion":"1.0","source":"haisoft","id":"%(run)s-' .. count .. '","type":"' .. kind[1]
    .. '","subject":"%(run)s-' .. ticket .. '","time":"%(time)s","sequence":' .. count .. ',"data":'
    .. string.format(kind[2], ticket) .. '}'
  return wrk.format("POST", nil, {["Content-Type"]="application/json", ["Authorization"]="%(key)s"}, body)
end
done = function(summary, latency, requests)
  io.write(string.format("RESULT %%f %%f %%f %%d\\n", summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.errors.status))
end
"""


@dataclass(frozen=True)
class Rate:
    """What came of it. Milliseconds."""

    per_second: float
    p50: float
    p99: float
    errors: int


@dataclass(frozen=True)
class Aim:
    """Where the load goes. `run` makes the ids of one run its own, `time` is when everything happened."""

    host: str
    port: int
    path: str
    key: str
    run: str
    time: str


def load(aim: Aim, *, connections: int, seconds: int) -> Rate:
    """Load it for so long."""
    if shutil.which("wrk"):
        return _wrk(aim, connections, seconds)
    command = [sys.executable, __file__, json.dumps(aim.__dict__), str(connections), str(seconds)]
    return Rate(**json.loads(subprocess.run(command, check=True, text=True, capture_output=True).stdout))


def load_all(aims: Sequence[Aim], *, connections: int, seconds: int) -> Rate:
    """Load several at once, the connections shared out. The rates are added; the percentiles are the worst one's."""
    each = connections // len(aims)

    def loaded(aim: Aim) -> Rate:
        return load(aim, connections=each, seconds=seconds)

    with ThreadPoolExecutor(len(aims)) as loaders:
        rates = list(loaders.map(loaded, aims))
    return Rate(
        sum(rate.per_second for rate in rates),
        max(rate.p50 for rate in rates),
        max(rate.p99 for rate in rates),
        sum(rate.errors for rate in rates),
    )


def client_name() -> str:
    """What makes the load."""
    return "wrk" if shutil.which("wrk") else "asyncio client"


def _wrk(aim: Aim, connections: int, seconds: int) -> Rate:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_LUA % aim.__dict__)
        script.flush()
        url = f"http://{aim.host}:{aim.port}{aim.path}"
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script.name, url]
        out = subprocess.run(command, check=True, text=True, capture_output=True).stdout
    line = next(line for line in out.splitlines() if line.startswith("RESULT"))
    per_second, p50, p99, errors = line.split()[1:]
    return Rate(float(per_second), float(p50), float(p99), int(errors))


class _Client:
    """The same load in plain Python: HTTP written by hand, since a client library would be the bottleneck."""

    def __init__(self, aim: Aim, until: float) -> None:
        self.aim, self.until = aim, until
        self.count = self.errors = 0
        self.taken: list[float] = []

    async def connection(self) -> None:
        """One connection's requests, until time is up."""
        reader, writer = await asyncio.open_connection(self.aim.host, self.aim.port)
        while time.perf_counter() < self.until:
            began = time.perf_counter()
            writer.write(self._request())
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(int(length.partition(b":")[2]))
            self.taken.append(time.perf_counter() - began)
            self.errors += not head.startswith(b"HTTP/1.1 200")
        writer.close()
        await writer.wait_closed()

    def _request(self) -> bytes:
        self.count += 1
        kind, data = _KINDS[(self.count - 1) % len(_KINDS)]
        ticket = (self.count - 1) // len(_KINDS)
        if kind == "ticket.created":
            # Subjects differ, as those of a customer's tickets do: equal ones would be duplicates of one another.
            data = {**data, "title": f"Server {ticket} down"}
        body = json.dumps(
            {
                "specversion": "1.0",
                "source": "haisoft",
                "id": f"{self.aim.run}-{self.count}",
                "type": kind,
                "subject": f"{self.aim.run}-{ticket}",
                "time": self.aim.time,
                "sequence": self.count,
                "data": data,
            }
        ).encode()
        head = (
            f"POST {self.aim.path} HTTP/1.1\r\nHost: {self.aim.host}\r\nContent-Type: application/json\r\n"
            f"Authorization: {self.aim.key}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


_KINDS: Final = (
    (
        "ticket.created",
        {"title": "Server down", "customer": "ACME", "service": "dedicated", "priority": "high"},
    ),
    ("status.changed", {"status": "open"}),
    ("customer.replied", {"author": "customer", "text": "Is there any news of this?"}),
    ("agent.replied", {"author": "agent", "text": "We are looking into it."}),
)


async def _run(aim: Aim, connections: int, seconds: int) -> Rate:
    client = _Client(aim, time.perf_counter() + seconds)
    await asyncio.gather(*(client.connection() for _ in range(connections)))
    taken = sorted(client.taken)
    p50, p99 = (taken[int(len(taken) * share)] * 1000 for share in (0.5, 0.99))
    return Rate(len(taken) / seconds, p50, p99, client.errors)


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    rate = asyncio.run(_run(Aim(**json.loads(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])))
    print(json.dumps(rate.__dict__))
