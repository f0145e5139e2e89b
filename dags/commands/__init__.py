"""The commands, and what they share with a person at a terminal."""
