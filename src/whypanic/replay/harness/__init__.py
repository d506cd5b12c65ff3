"""The harness: source, the bytes built from it, and README.md about both."""
