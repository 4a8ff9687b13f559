"""Incidents, deliveries, and what the sender looks for in the history of runs."""
