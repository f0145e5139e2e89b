"""Which fields of a dump are needed, and by whom."""
