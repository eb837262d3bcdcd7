"""Contracts of the demonstration: a few for each desk, with the fees and levels that its text knows.

Most customers have one. Garage Duval at HaiSoft has none, so that the flag of its tickets is seen.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from app.flow.agreement.contracts import FaultyContracts, put_terms, read_terms
from app.flow.process.runtime import Runtime
from app.flow.query.contracts import agreement_known
from app.sla.span import Micros, instant
from app.store.engine.database import Connection

_Contract = Mapping[str, Any]


def _eur(amount: str, per: str = "month") -> dict[str, str]:
    return {"amount": amount, "per": per}


_VND: Final = {"per": "term", "term_months": 12}

_HAISOFT: Final[tuple[_Contract, ...]] = (
    {"id": "H-101", "customer": "Lycée Rabelais", "fee": _eur("89.00"), "resources": ["srv-12.haisoft.net"]},
    {"id": "H-102", "customer": "Boulangerie Petit", "fee": _eur("348.00", "year"), "resources": ["vps-5"]},
    {"id": "H-103", "customer": "Atelier Morel", "fee": _eur("29.00"), "resources": ["vps-7"]},
    {
        "id": "H-104",
        "customer": "Vélo Nantes",
        "fee": _eur("59.00"),
        "resources": ["vps-9"],
        "billing_day": 15,
    },
)
_WEBXTRA: Final[tuple[_Contract, ...]] = (
    {
        "id": "C-1001",
        "customer": "Bakkerij Smit",
        "plan": "managed",
        "fee": _eur("149.00"),
        "targets": {"managed-response": "4h"},
    },
    {"id": "C-1002", "customer": "De Vries Fietsen", "plan": "basic", "fee": _eur("12.50")},
    {"id": "C-1003", "customer": "Kapsalon Jansen", "plan": "basic", "fee": _eur("9.95")},
    {"id": "C-1004", "customer": "Bloemen Bakker", "plan": "basic", "fee": _eur("9.95")},
    {"id": "C-1005", "customer": "Tandarts Visser", "plan": "basic", "fee": _eur("119.40", "year")},
)
_CLAMEHOST: Final[tuple[_Contract, ...]] = (
    {"id": "CL-1", "customer": "Libreria Neri", "fee": _eur("180.00", "year")},
    {"id": "CL-2", "customer": "Studio Bianchi", "fee": _eur("24.00")},
    {"id": "CL-3", "customer": "Officina Verdi", "fee": {"amount": "99.00", "per": "term", "term_months": 6}},
    {"id": "CL-4", "customer": "Trattoria Rossi", "fee": _eur("15.00")},
)
_PHPNET: Final[tuple[_Contract, ...]] = (
    {"id": "P-2001", "customer": "Mairie de Valoire", "level": "example-1", "fee": _eur("320.00")},
    {"id": "P-2002", "customer": "Imprimerie Roux", "level": "example-2", "fee": _eur("540.00")},
    {"id": "P-2003", "customer": "Clinique du Lac", "level": "example-24-7", "fee": _eur("980.00")},
    # No level: their tickets have no target, and the reason is shown.
    {"id": "P-2004", "customer": "Hôtel des Alpes", "fee": _eur("45.00")},
    {"id": "P-2005", "customer": "Ski Location", "fee": _eur("45.00")},
)


def _hvn(year: int) -> Iterator[_Contract]:
    """Prepaid for twelve months, at another price since this year."""
    names = ("Cà phê Sáng", "Nhà sách Minh", "Du lịch Biển Xanh", "Công ty An Phát")
    for number, customer in enumerate(names, start=1):
        for first, amount in ((year - 1, "1080000"), (year, "1200000")):
            yield {
                "id": f"V-{300 + number}",
                "customer": customer,
                "fee": {"amount": amount, **_VND},
                "currency": "VND",
                "valid_from": f"{first}-01-01",
                "valid_to": f"{first + 1}-01-01",
            }


def contracts(now: Micros) -> Mapping[str, Sequence[_Contract]]:
    """The contracts of each desk. Those with an open end began on the first day of the year before."""
    year = instant(now).year
    euro = {"haisoft": _HAISOFT, "webxtra": _WEBXTRA, "clamehost": _CLAMEHOST, "phpnet": _PHPNET}
    begun = {"currency": "EUR", "valid_from": f"{year - 1}-01-01"}
    found = {desk: [begun | dict(each) for each in of_desk] for desk, of_desk in euro.items()}
    return {**found, "hvn": list(_hvn(year))}


def put_contracts(runtime: Runtime, now: Micros) -> None:
    """Store the contracts of all desks. Raises FaultyContracts."""

    def put(conn: Connection, at: Micros) -> None:
        for desk, documents in contracts(now).items():
            agreement = agreement_known(conn, runtime.catalogue, desk, None, at=now)
            stated, faults = read_terms(((str(each["id"]), each) for each in documents), agreement)
            if faults:
                raise FaultyContracts(faults)
            put_terms(conn, at, desk, stated, deliver=False)

    runtime.database.write_now(put)
