"""Attackers' loads, bounded and on loopback, beside another desk that must not notice. One module for each kind."""
