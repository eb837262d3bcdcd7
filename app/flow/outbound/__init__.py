"""Subscriptions and the delivery of signals to them."""
