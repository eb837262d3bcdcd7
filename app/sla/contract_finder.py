"""Which contract a ticket belongs to, by its fields and the instant of its creation.

A ticket belongs to the contract that it names, else to the only one of its customer that is valid on the local date of
its creation and covers its service. Names are compared without case. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

from app.sla.calendar.zone import Zone
from app.sla.contract import Contract, valid_on
from app.sla.fields import casefolded
from app.sla.span import Micros

AMBIGUOUS: Final = "contract_ambiguous"
"""Flag: several contracts of the customer are valid and cover the service."""
UNKNOWN: Final = "contract_unknown"
"""Flag: the ticket names a contract that is not known or not valid, or its customer has none that is."""


@dataclass(frozen=True, slots=True)
class Named:
    """The customers and contracts that events name, as they are compared: what has to be known to find contracts."""

    customers: frozenset[str] = frozenset()
    contracts: frozenset[str] = frozenset()

    @classmethod
    def by(cls, fields: Iterable[Mapping[str, object]]) -> "Named":
        """The names in these fields or data of events."""
        customers, contracts = set[str](), set[str]()
        for each in fields:
            customers.add(casefolded(each.get("customer")))
            contracts.add(casefolded(each.get("contract")))
        return cls(frozenset(customers - {""}), frozenset(contracts - {""}))

    def __bool__(self) -> bool:
        """Whether anything is named."""
        return bool(self.customers or self.contracts)

    def __or__(self, other: "Named") -> "Named":
        """Both together."""
        return Named(self.customers | other.customers, self.contracts | other.contracts)


class Found(NamedTuple):
    """The contract of a ticket, or the flag that says why it has none."""

    contract: Contract | None = None
    flag: str | None = None


def _in_order(term: Contract) -> tuple[str, date]:
    return term.key, term.valid_from


def _grouped(pairs: Iterable[tuple[str, Contract]]) -> dict[str, tuple[Contract, ...]]:
    found: dict[str, list[Contract]] = {}
    for key, term in pairs:
        found.setdefault(key, []).append(term)
    return {key: tuple(terms) for key, terms in found.items()}


@dataclass(frozen=True, slots=True)
class StoredContracts:
    """Terms of a desk's stored contracts: all, or those that some tickets may belong to.

    `exist`: whether the desk has stored contracts at all. Only then a ticket without one is flagged.
    """

    terms: tuple[Contract, ...] = ()
    exist: bool = False
    by_contract: Mapping[str, tuple[Contract, ...]] = field(init=False, compare=False, repr=False)
    by_customer: Mapping[str, tuple[Contract, ...]] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Group the terms once: every ticket of a batch looks into them."""
        object.__setattr__(self, "by_contract", _grouped((term.key, term) for term in self.terms))
        by_customer = _grouped((casefolded(term.customer), term) for term in self.terms)
        object.__setattr__(self, "by_customer", by_customer)

    def only(self, named: Named) -> "StoredContracts":
        """Those that tickets with these names may belong to."""
        kept = (
            term
            for term in self.terms
            if term.key in named.contracts or casefolded(term.customer) in named.customers
        )
        return StoredContracts(tuple(sorted(kept, key=_in_order)), self.exist)

    def beside(self, other: "StoredContracts") -> "StoredContracts":
        """These and others of the same desk."""
        return StoredContracts(tuple(dict.fromkeys((*self.terms, *other.terms))), self.exist or other.exist)


NO_CONTRACTS: Final = StoredContracts()


@dataclass(frozen=True, slots=True)
class ContractFinder:
    """Finds the contract of a ticket among the stored ones and those of an agreement file.

    A stored contract takes the place of one with the same id in the file. A contract counts that is valid on the local
    date of the ticket's creation.
    """

    stored: StoredContracts
    filed: Mapping[str, Contract]
    """Those of the agreement file, by their ids as they are compared."""
    zone: Zone
    filed_by_customer: Mapping[str, tuple[Contract, ...]]

    @classmethod
    def of(cls, stored: StoredContracts, filed: Mapping[str, Contract], zone: Zone) -> "ContractFinder":
        """The finder for these contracts. `zone` is the desk's."""
        named = ((casefolded(term.customer), term) for term in filed.values() if term.customer is not None)
        return cls(stored, filed, zone, _grouped(named))

    def find(self, fields: Mapping[str, object], born: Micros) -> Found:
        """The contract that the fields name, else the only one of the customer that covers the service.

        `born`: when the ticket was created, or the first that is known of it.
        """
        on = self.zone.local_date(born)
        flagged = self.stored.exist or bool(self.filed_by_customer)
        if named := casefolded(fields.get("contract")):
            contract = valid_on(self._terms(named), on)
            return Found(contract, UNKNOWN if contract is None and flagged else None)
        customer, service = casefolded(fields.get("customer")), fields.get("service")
        found = [
            term for term in self._of_customer(customer) if term.is_valid_on(on) and term.covers(service)
        ]
        if len(found) == 1:
            return Found(found[0])
        return Found(None, (AMBIGUOUS if found else UNKNOWN) if flagged else None)

    def _terms(self, key: str) -> tuple[Contract, ...]:
        if (stored := self.stored.by_contract.get(key)) is not None:
            return stored
        return (self.filed[key],) if key in self.filed else ()

    def _of_customer(self, customer: str) -> tuple[Contract, ...]:
        if not customer:
            return ()
        stored = self.stored.by_customer.get(customer, ())
        filed = self.filed_by_customer.get(customer, ())
        return (*stored, *(term for term in filed if term.key not in self.stored.by_contract))


def completed(own: Mapping[str, object], contract: Contract | None) -> dict[str, object]:
    """A ticket's own fields, and its contract's id, plan and level where it has none of its own."""
    if contract is None:
        return dict(own)
    given = {"plan": contract.plan, "level": contract.level}
    return {**own, "contract": contract.id} | {
        name: value for name, value in given.items() if value is not None and not casefolded(own.get(name))
    }
