"""Webhooks of Jira and Jira Service Management, Cloud and Server."""
