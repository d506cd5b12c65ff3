"""Kernels built with every toolchain, booted at every exception level, and what became of them."""
