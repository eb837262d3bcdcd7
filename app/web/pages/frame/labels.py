"""Labels of an agreement's rules in the reader's language, where the agreement has it; by the ids of the rules."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from app.delivery.wording.language import Language, nearest
from app.principal import Desks, covers
from app.sla.agreement.agreement import Agreement
from app.store.engine.database import Connection
from app.web.pages.frame.reader import Reader


class Labelled(Protocol):
    """A rule of an agreement with labels."""

    @property
    def id(self) -> str:
        """Its name in the file."""
        ...

    @property
    def label(self) -> str:
        """The label in the agreement's own language."""
        ...

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels by language."""
        ...


def label_of(rule: Labelled, language: Language) -> str:
    """The label of a rule."""
    return nearest(language.value, dict(rule.labels)) or rule.label


def labels_of(rules: Iterable[Labelled], language: Language) -> dict[str, str]:
    """The labels of rules."""
    return {rule.id: label_of(rule, language) for rule in rules}


def rule_labels(agreement: Agreement, language: Language) -> dict[str, str]:
    """The labels of all rules of an agreement; of two kinds with one id, that of the credit or charge."""
    rules: tuple[Sequence[Labelled], ...] = (
        *(agreement.averages, agreement.availability, agreement.commitments),
        *(agreement.allowances, agreement.charges, agreement.credits),
    )
    return labels_of((rule for of_kind in rules for rule in of_kind), language)


def commitment_labels(conn: Connection, reader: Reader, desks: Desks) -> dict[str, str]:
    """The labels of the commitments of desks; those that label the same id differently have all of its labels."""
    found: dict[str, dict[str, None]] = {}
    language = reader.choices.language
    for desk in (each for each in reader.desks if covers(desks, each)):
        agreement = reader.runtime.catalogue.in_force(conn, desk, at=reader.now).agreement
        for rule in (*agreement.commitments, *agreement.availability, *agreement.averages):
            found.setdefault(rule.id, {})[label_of(rule, language)] = None
    return {rule: " / ".join(labels) for rule, labels in found.items()}
