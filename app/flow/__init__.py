"""Use cases, one transaction each: receive, sweep, apply, ask, replay, and the one road that they share, `assess`.

No SQL here and no rule: the store keeps, the core decides. `now` is a parameter, but where the transaction that writes
gives its own time.
"""
