"""Zendesk: its event subscriptions, and the body that our trigger template sends."""
