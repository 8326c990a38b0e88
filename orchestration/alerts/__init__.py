"""Tells people when something changes: a sync stops working, and when it works again.

States are SQL (``activation.alert_states``), what was told last is a table (``state.alerts``).
A subject whose state is not the one that a channel was told last is told there; a subject that
has always been fine is not mentioned. Texts are made of names, codes and numbers.
"""

from orchestration.alerts.tell import Report, tell

__all__ = ["Report", "tell"]
