"""Clocks: one commitment on one ticket, replayed from its events, with transitions, signals and explanations.

Read in this order: transition, segment, clock, time_account, timeline, cycles, track, replay, evaluation, view, signals,
explanation.
"""
