"""Composition: the only place that knows every stage."""
