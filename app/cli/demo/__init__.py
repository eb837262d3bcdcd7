"""A life-like day at five desks, around whatever hour it is now.

What happened is invented here and nowhere else; everything that is shown of it is computed by the service as for any
other desk. The past days are lived through in order, each fact received when it would have been, so that breaches were
told at their instants, queues moved step by step, and `as_of` has something to answer.
"""
