"""Thin HTTP: one module per resource, each with its request and response models beside the route.

No rule about clocks lives here. A handler reads the request, asks `flow` one question and renders the answer; what goes
wrong becomes an RFC 9457 problem by the one table in `problems`. Instants come and go as RFC 3339 text with an offset.
"""
