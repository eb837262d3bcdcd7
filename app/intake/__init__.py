"""Reading ticket systems' webhooks: pure translation from bytes to events, one module for each system.

No clock, no I/O, no logging: a request and a desk's configuration go in, a `Reading` comes out. Reading order:
`cloudevents`, `request`, `signature`, `mapping`, `adapter`, then any of the systems; `adapters` lists them.
"""
