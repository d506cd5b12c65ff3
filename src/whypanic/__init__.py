"""whypanic names the cause of an arm64 Linux kernel crash and shows the evidence."""

__version__ = "0.1.0"
