"""The demonstration: a realistic day at five desks, around the current time.

The events are invented here and nowhere else; everything shown of them is computed by the service as for any other
desk. The past days are replayed in order, each event received at its time, so that breaches are detected at their
instants, queues move step by step, and `as_of` finds earlier states.
"""
