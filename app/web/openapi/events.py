"""The schemas of a pushed event: one for each model of `data`, discriminated by `type`, and one for any other type.

Derived from the models that read an event, so that what is documented is what is checked.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from app.intake.event_data import DATA_OF
from app.intake.event_subject import subjects_of

REFERENCE: Final = "#/components/schemas/{model}"
_ENVELOPE: Final = "CloudEvent"
_KNOWN: Final = "KnownEvent"
_OTHER: Final = "OtherEvent"

Schema = dict[str, Any]


def event_schemas(schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """The schemas that replace the one of the envelope. `schemas` has the envelope and every model of `data`."""
    envelope = schemas[_ENVELOPE]
    variants: dict[str, Schema] = {}
    mapping: dict[str, str] = {}
    for model, types in _types_of_models().items():
        name = _name(model, types)
        variants[name] = _variant(envelope, types, model, schemas[model])
        mapping |= dict.fromkeys(types, _reference(name))
    known = {
        "description": "An event of a known type. `type` decides which fields `data` has.",
        "oneOf": [_link(name) for name in variants],
        "discriminator": {"propertyName": "type", "mapping": dict(sorted(mapping.items()))},
    }
    whole = {
        "description": envelope["description"],
        "anyOf": [_link(_KNOWN), _link(_OTHER)],
        "examples": envelope["examples"],
    }
    return variants | {_KNOWN: known, _OTHER: _other(envelope, sorted(mapping)), _ENVELOPE: whole}


def _types_of_models() -> dict[str, list[str]]:
    types: dict[str, list[str]] = {}
    for kind, model in DATA_OF.items():
        types.setdefault(model.__name__, []).append(kind.value)
    return types


def _name(model: str, types: list[str]) -> str:
    """`TicketCreatedEvent`: by the type, or by the model where several types share it."""
    alone = types[0].replace("_", ".").split(".") if len(types) == 1 else []
    return f"{''.join(map(str.capitalize, alone)) or model}Event"


def _variant(envelope: Schema, types: list[str], model: str, data: Schema) -> Schema:
    variant = _copy(envelope)
    properties, required = variant["properties"], list(variant["required"])
    properties["type"] = {"type": "string"} | ({"const": types[0]} if len(types) == 1 else {"enum": types})
    properties["subject"] |= {"description": subjects_of(types[0])}
    if data.get("required"):
        properties["data"] = _link(model)
        required.append("data")
    else:
        properties["data"] = {"anyOf": [_link(model), {"type": "null"}]}
    listed = " or ".join(f"`{each}`" for each in types)
    return variant | {
        "description": f"An event of the type {listed}. {data['description']}",
        "required": required,
    }


def _other(envelope: Schema, known: list[str]) -> Schema:
    other = _copy(envelope)
    other["properties"]["type"] |= {"not": {"enum": known}, "description": "any other type"}
    other["description"] = "An event of a type that is not known here: stored and counted, it moves no clock."
    return other


def _copy(envelope: Schema) -> Schema:
    return deepcopy({name: value for name, value in envelope.items() if name not in {"title", "examples"}})


def _reference(name: str) -> str:
    return REFERENCE.format(model=name)


def _link(name: str) -> Schema:
    return {"$ref": _reference(name)}
