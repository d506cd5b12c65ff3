"""One file a rule; discovered by walking this package."""
