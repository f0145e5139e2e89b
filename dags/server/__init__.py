"""Airflow on this machine: its home, its server, a run in a process, the demonstration."""
