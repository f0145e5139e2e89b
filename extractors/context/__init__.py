"""What stands around the records of a dump: the headers and trailers that say what holds for them."""
