"""The architecture: registers, instructions, address layouts. Standard library only."""
