"""How does a signal reach another system, or a person? Envelope, signature, retry, address, the call itself. No SQL.

The rule it guards: a delivery may come late and may come twice, but nothing leaves for an address that was not checked.
"""
