"""Availability: the downtime and uptime of services, from their outages. Pure; instants are microseconds UTC."""
