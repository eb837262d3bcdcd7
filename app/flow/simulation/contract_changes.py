"""Single changes of customers' contracts: `contracts.C-17.fee.amount = "120"`.

A contract that is stored takes the place of the agreement file's, so its change is made to the stored terms, all of
them, or to what the draft states of it. A change of any other contract goes into the agreement, as that file has it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.flow.agreement.contracts import FaultyContracts
from app.flow.simulation.changes import Changes, steps_of, with_value
from app.sla.contract_document import document_of
from app.sla.document.faults import Fault, FaultyFile
from app.sla.fields import casefolded
from app.sla.span import Micros
from app.store.contracts import contracts
from app.store.engine.database import Connection

CONTRACTS: Final = "contracts"
"""The first step of a change of a contract."""

ContractDocument = tuple[str, Mapping[str, Any]]
"""A contract's document with its place, for faults."""

_PLACE: Final = "/changes"


def with_contract_changes(
    conn: Connection, desk: str, now: Micros, given: Sequence[ContractDocument], changes: Changes
) -> tuple[list[ContractDocument], Changes]:
    """The contracts of a draft, with its changes of contracts that are given or stored; and its other changes.

    Raises FaultyContracts.
    """
    named = {key: name for key in changes if (name := _named(key)) is not None}
    terms = _terms(conn, desk, now, given, set(named.values()))
    own = {key: name for key, name in named.items() if name in terms}
    faults: list[tuple[str, Fault]] = []
    for key, name in own.items():
        try:
            terms[name] = [(place, _with(document, key, changes[key])) for place, document in terms[name]]
        except FaultyFile as error:
            faults += ((_PLACE, fault) for fault in error.faults)
    if faults:
        raise FaultyContracts(faults)
    others = [each for each in given if casefolded(each[1].get("id")) not in terms]
    stated = [each for name in sorted(terms) for each in terms[name]]
    return [*others, *stated], {key: value for key, value in changes.items() if key not in own}


def _named(key: str) -> str | None:
    """The casefolded contract that a change is of."""
    try:
        steps = steps_of(key)
    except FaultyFile:
        return None
    return casefolded(steps[1]) if steps[0] == CONTRACTS and len(steps) > 1 else None


def _terms(
    conn: Connection, desk: str, now: Micros, given: Sequence[ContractDocument], named: set[str]
) -> dict[str, list[ContractDocument]]:
    """The terms of these contracts: those given, else those stored."""
    found: dict[str, list[ContractDocument]] = {}
    for place, document in given:
        if (name := casefolded(document.get("id"))) in named:
            found.setdefault(name, []).append((place, document))
    stored = contracts.of_contracts(conn, desk, named - found.keys(), as_of=now)
    for name, terms in stored.items():
        found[name] = [(_PLACE, _stated(document_of(term))) for term in terms]
    return found


def _stated(document: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a term that say something, as a file would have them."""
    return {key: value for key, value in document.items() if value not in (None, [], {})}


def _with(document: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    """A term with one change. Raises FaultyFile."""
    steps = steps_of(key)[2:]
    if not steps:
        right = f"Name a key of it, as {key}.level."
        raise FaultyFile([Fault(key, "it is a contract, which has keys of its own", right)])
    return with_value(document, steps, value, key)
