"""What the bytes of an unknown dump tell of how it is made."""
