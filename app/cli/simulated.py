"""The result of a simulation on the terminal."""

from typing import Any, Final

from app.cli.terminal import counted, remark, result, screen

_SHOWN: Final = 20
"""Flips that are shown without --json. With it all of them are."""

Json = dict[str, Any]


def show_simulated(found: Json, flips: list[Json]) -> None:
    """Show a result as tables and sentences, with the first flips."""
    remark(f"{counted(found['tickets'], 'ticket')}, judged at {found['at']}")
    if found["tickets_without_events"]:
        remark(
            f"{counted(found['tickets_without_events'], 'ticket')} left out: the events are no longer kept"
        )
    if found["tickets_not_judged"]:
        remark(f"could not be judged: {', '.join(found['tickets_not_judged'])}")
    _show_commitments(found)
    _show_flips(found, flips)
    for each in found["credits"]:
        result(f"credits in {each['currency']}: {each['before']} before, {each['after']} after")
    best = found["best_hour"]
    if best is not None:
        result(
            f"one hour more: {best['weekday']} {best['from']}-{best['to']} in {best['calendar']}, where an answer would "
            f"have saved {best['saved']} of {best['missed']} missed"
        )


def _show_commitments(found: Json) -> None:
    from rich.table import Table

    names = ("met", "missed", "running", "cancelled")
    shares = ("p90", "p95", "p99")
    table = Table(
        "commitment",
        "",
        "clocks",
        *names,
        *(f"{share[1:]} % kept by" for share in shares),
        box=None,
        pad_edge=False,
    )
    for commitment, sides in found["commitments"].items():
        targets = found["targets"].get(commitment, {})
        for name in ("before", "after"):
            side = sides[name]
            written = [targets.get(share) or "-" for share in shares] if name == "after" else []
            table.add_row(
                commitment if name == "before" else "",
                name,
                str(side["clocks"]),
                *(str(side[n]) for n in names),
                *written,
            )
    screen().print(table)


def _show_flips(found: Json, flips: list[Json]) -> None:
    result(f"{counted(found['flips_in_all'], 'clock')} would flip")
    for flip in flips[:_SHOWN]:
        before, after = flip["before"], flip["after"]
        result(
            f"  {flip['ticket']} {flip['commitment']} {flip['cycle']}: {before['verdict']} -> {after['verdict']}"
        )
        result(f"    before: {before['explanation']}")
        result(f"    after:  {after['explanation']}")
    if (more := found["flips_in_all"] - _SHOWN) > 0:
        result(f"  and {more} more; --json lists them")
