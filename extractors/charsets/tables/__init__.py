"""Character tables as data, each with the script that derives it from a library that has it."""
