"""Compiled loops, and what they are called with."""
