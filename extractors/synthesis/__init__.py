"""Dumps for invented municipalities, of any size, by encoding."""
