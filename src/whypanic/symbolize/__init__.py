"""Names for addresses: which function a report points at, and what the compiler added to its name."""
