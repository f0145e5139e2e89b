"""Decisions that people filled into an exported ledger, read back into the folder of their municipality."""
