"""A desk's contracts and credits, as tests use them below the web: put a contract, push outages, read what is owed."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.flow.agreement import contracts
from app.flow.judge.incoming import Incoming
from app.flow.query.contracts import agreement_known
from app.flow.query.serialize import Json
from app.flow.query.statements import CreditFilters, credit_page, statement
from app.sla.span import Micros, micros
from app.store.engine.database import Connection
from tests.service import Service, event

FEE = {"amount": "1000", "per": "month"}


class CreditOffice:
    """One desk with contracts, on the clock of its service. Times are local to the desk."""

    def __init__(self, service: Service, desk: str, zone: str, since: str = "2026-01-01 09:00") -> None:
        self.service, self.desk, self.zone, self.count = service, desk, ZoneInfo(zone), 0
        service.clock.set(self.time(since))
        service.apply_shipped(desk)

    def time(self, written: str) -> str:
        """A local time with its offset."""
        return datetime.fromisoformat(written).replace(tzinfo=self.zone).isoformat()

    def at(self, written: str) -> Micros:
        """A local time as an instant."""
        return micros(datetime.fromisoformat(self.time(written)))

    def contract(self, contract_id: str, **stated: Any) -> None:
        """Put a contract."""
        document = {
            "customer": contract_id,
            "fee": FEE,
            "valid_from": "2026-01-01",
            **stated,
            "id": contract_id,
        }

        def put(conn: Connection, now: Micros) -> None:
            agreement = agreement_known(conn, self.service.catalogue, self.desk, None, at=now)
            terms, faults = contracts.read_terms([("", document)], agreement)
            assert faults == []
            contracts.put_terms(conn, now, self.desk, terms)

        self.service.database.write_now(put)

    def fact(self, kind: str, subject: str, when: str, /, **data: Any) -> str:
        """Push one event at its own time. Returns its id."""
        self.count += 1
        name = f"fact-{self.count}"
        self.push(event(name, kind, subject, self.time(when), desk=self.desk, **data))
        return name

    def push(self, *incoming: Incoming) -> None:
        """Push events, at the latest of their times at the earliest."""
        clock = self.service.clock
        clock.now = max([clock.now, *(each.event.at for each in incoming)])
        receipt = self.service.push(*incoming)
        assert receipt.refused == []

    def down(self, service: str, since: str, length: timedelta, **data: Any) -> str:
        """An outage. Returns the id of the event that started it."""
        start = datetime.fromisoformat(since)
        started = self.fact("outage.started", f"service:{service}", since, **data)
        self.fact("outage.ended", f"service:{service}", (start + length).isoformat(), **data)
        return started

    def sweep(self, when: str) -> None:
        """Let the time come, and the instant after it, at which what is concerned by facts of that time is due."""
        self.service.clock.now = self.at(when) + 1
        self.service.sweeper.sweep_now()

    def credits(self, contract: str | None = None, **when: Any) -> list[Json]:
        """The credits of the desk, or of a contract."""
        filters = CreditFilters(contract=contract)
        return list(
            self.service.database.read_now(
                lambda conn: credit_page(
                    conn,
                    self.service.catalogue,
                    self.desk,
                    filters,
                    now=self.service.database.now(),
                    limit=100,
                    **when,
                )
            ).documents
        )

    def amounts(self, contract: str) -> dict[str, str | None]:
        """The amount of each month of a contract."""
        return {each["period"]: each["amount"] for each in self.credits(contract)}

    def one(self, contract: str, **when: Any) -> Json:
        """The only credit of a contract."""
        (found,) = self.credits(contract, **when)
        return found

    def statement(self, contract: str, period: str, **when: Any) -> Json:
        """A statement of a contract's month."""
        return self.service.database.read_now(
            lambda conn: statement(
                conn,
                self.service.catalogue,
                self.desk,
                contract,
                period,
                now=self.service.database.now(),
                **when,
            )
        )

    def signals(self, contract: str | None = None) -> list[tuple[str, str | None, str | None]]:
        """The signals of credits so far: kind, old and new amount."""
        return [
            (each["kind"].removeprefix("credit."), each["old_amount"], each["new_amount"])
            for each in self.service.signals()
            if each["kind"].startswith("credit.") and contract in (None, each["contract"])
        ]
