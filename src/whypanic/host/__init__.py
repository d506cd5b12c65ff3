"""The only place that starts processes, reads clocks and makes temporary folders."""
