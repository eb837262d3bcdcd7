"""Announcements between processes: what is sent is what is understood, also by the release before."""

import pytest

from app.store.engine.notify import Announcement


@pytest.mark.parametrize(
    ("announcement", "payload"),
    [
        (Announcement(7, 8), "7 8"),
        (Announcement(7, 8, has_deliveries=False), "+7 8"),
        (Announcement(7, None, has_deliveries=False), "+7 "),
        (Announcement(None, 8, has_deliveries=False), " 8"),
    ],
)
def test_an_announcement_is_read_as_it_was_made(announcement: Announcement, payload: str) -> None:
    assert announcement.payload == payload
    assert Announcement.of_payload(payload) == announcement


def test_the_release_before_reads_the_position_of_signals_without_deliveries() -> None:
    last, _, next_at = Announcement(7, 8, has_deliveries=False).payload.partition(" ")
    assert (int(last), int(next_at)) == (7, 8)
