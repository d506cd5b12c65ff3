"""What machine code and register values say together."""
