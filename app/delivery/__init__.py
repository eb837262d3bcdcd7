"""Outbound delivery without SQL: envelope, signature, retry policy, address policy, HTTP client, messages to people.

Delivery is at least once, and no connection is made to an address that the policy has not checked.
"""
