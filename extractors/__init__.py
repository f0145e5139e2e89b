"""Dump -> records -> Arrow batches: layouts, framings, usages and charsets, and their inverses."""
