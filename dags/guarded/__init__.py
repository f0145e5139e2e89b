"""What is not to be seen: secrets, which no mapping moves, and values that need grounds of their own."""
