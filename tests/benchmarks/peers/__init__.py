"""`python -m tests.benchmarks.peers`: our reader beside other readers of mainframe files, on one file that all can read."""
