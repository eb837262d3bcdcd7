"""A synchronous standby takes over: `python -m tests.standby`, ROUNDS= of them, FOLDER= for the logs.

Each round kills the primary under load, promotes the standby, and makes the killed server the next standby. The service
names both hosts in its database URL and is never restarted. What is compared is that of the chaos harness: acknowledged
events that are missing, breaches that are missing, doubled or early, deliveries, the stream.
"""
