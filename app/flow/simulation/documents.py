"""Questions as JSON: how they are stored, and how the process of a simulation knows what to judge.

Dates and times that TOML writes become texts, as they do where a version is stored.
"""

from typing import Any

from app.flow.agreement.desk_files import DeskFile, FileKind
from app.flow.simulation.draft import Draft, Question
from app.sla.span import Span

Json = dict[str, Any]


def document_of(question: Question) -> Json:
    """The JSON of a question. Instants are microseconds UTC."""
    draft = question.draft
    return {
        "desk": question.desk,
        "from": question.span.start,
        "to": question.span.end,
        "now": question.now,
        "files": [
            {
                "path": file.path,
                "desk": file.desk,
                "kind": file.kind.value,
                "document": file.document,
                "text": file.text,
            }
            for file in draft.files
        ],
        "contracts": [{"place": place, "document": document} for place, document in draft.contracts],
        "changes": dict(draft.changes),
    }


def question_of(document: Json) -> Question:
    """The question that `document_of` wrote."""
    files = [
        DeskFile(each["path"], each["desk"], FileKind(each["kind"]), each["document"], each["text"])
        for each in document["files"]
    ]
    contracts = [(each["place"], each["document"]) for each in document["contracts"]]
    draft = Draft(files, contracts, document["changes"])
    span = Span(document["from"], document["to"])
    return Question(document["desk"], span, document["now"], draft)
