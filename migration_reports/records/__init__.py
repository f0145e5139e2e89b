"""What is recorded of runs and of dumps, frozen, and written as JSON."""
