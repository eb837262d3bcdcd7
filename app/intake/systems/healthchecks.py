"""Healthchecks adapter: the webhook integration of a check that goes down or comes up again.

Its body is the template that `slatimer connect` prints, filled in with the placeholders of Healthchecks. A change is
dated to the second. Instants are microseconds UTC.
"""

from collections.abc import Mapping
from typing import Final

from app.intake.adapter import Adapter
from app.intake.mapping.alert import Alert, AlertMapping, alert_marks, labels_of
from app.intake.mapping.events import Unreadable, instant_in
from app.intake.mapping.reading import Reading
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import identifier, names, table, text, word
from app.intake.request import InboundRequest

SYSTEM: Final = "healthchecks"

_MAPPING: Final = AlertMapping(service_label="name", tickets=False, outages=True)


def _read(request: InboundRequest, source: Source) -> Reading:
    body = table(request.json())
    status = word(body.get("status"))
    if status is None:
        raise Unreadable("the status of the check is missing", "status")
    if status not in ("down", "up"):
        return Reading(ignored=f"a check that is {status} is neither down nor up")
    words = Translator(source)
    marks = alert_marks(_alert(body, source, down=status == "down"), _MAPPING.of(source), words)
    return Reading(marks=marks, warnings=words.warnings)


def _alert(body: Mapping[str, object], source: Source, *, down: bool) -> Alert:
    code = identifier(body.get("code"))
    if code is None:
        raise Unreadable("the code of the check is missing", "code")
    at = instant_in(body, ["now"], "the instant of the change", source.zone)
    return Alert(
        series=f"check-{code}",
        labels=_labels(body),
        began_at=at if down else None,
        ended_at=None if down else at,
        title=text(body.get("name")) or text(body.get("slug")),
        url=None,
        content=body,
    )


def _labels(body: Mapping[str, object]) -> dict[str, str]:
    """The check's tags, `key=value` or `key:value`, and its name, slug and code. A bare tag is its own value."""
    tags: dict[str, object] = {}
    for tag in names(body.get("tags")):
        name, equals, value = tag.replace(":", "=", 1).partition("=")
        tags[name] = value if equals else tag
    return labels_of(tags | {label: body.get(label) for label in ("name", "slug", "code")})


ADAPTER: Final = Adapter(
    system=SYSTEM,
    label="Healthchecks",
    schemes=("token", "url-secret"),
    read=_read,
    statuses={"firing": "open", "resolved": "solved"},
    priorities={"urgent": "urgent", "high": "high", "normal": "normal", "low": "low"},
    events_to_tick=("execute when a check goes down", "execute when a check goes up"),
    template="""\
Method: POST
URL: <URL>
Request headers:
X-Slatimer-Token: <SECRET>
Content-Type: application/json
Request body:
{"code": "$CODE", "status": "$STATUS", "now": "$NOW", "name": $NAME_JSON, "slug": "$SLUG", "tags": "$TAGS"}
""",
    options=_MAPPING.options,
)
