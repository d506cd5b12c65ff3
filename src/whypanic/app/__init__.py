"""Use cases: each turns inputs into one document."""
