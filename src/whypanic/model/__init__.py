"""Frozen facts: what was read, where it was read, and what is concluded from it."""
