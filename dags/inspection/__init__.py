"""What anyone with a dump uses: read it, look at it, profile it, make one."""
