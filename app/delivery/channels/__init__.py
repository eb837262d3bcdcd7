"""Kinds of channels to people: how the URL of each is read, and what is sent to the service it names.

Every kind states the parameters that it takes; anything else in a URL is refused. Nothing here connects.
"""
