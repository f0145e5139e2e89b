"""Candidates in a run: found, followed over rehearsals, shown to people; and what they decided, before any data."""
