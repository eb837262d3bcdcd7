"""Use cases, one transaction each: receive events, sweep, apply agreements, deliver, query, replay.

Every evaluation that is recorded goes through `judge.assess`. This package has no SQL and no service-level rule: they
are in `store` and `sla`. `now` is a parameter, except where the writing transaction provides its own time.
"""
