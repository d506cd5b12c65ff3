"""Replay: run the suspect code as the machine ran it, and compare every value with the log."""
