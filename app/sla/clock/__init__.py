"""Clocks: one commitment on one ticket, replayed from its events, with transitions, signals and explanations."""
