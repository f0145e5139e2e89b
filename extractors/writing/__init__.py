"""Values -> records -> a dump: the inverse of reading, by the same layout, charset and framing."""
