"""Causes: what the machine did and why, each in one file under `rules/`."""
