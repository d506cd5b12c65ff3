"""One file per cause. Discovery is by walking this package."""
