"""Measurements of the real server beside a bare peer, in one run on one machine."""
