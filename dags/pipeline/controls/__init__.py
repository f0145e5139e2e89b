"""Controls: what a dump must agree with, from control files beside it, trailers and parents, to the promoted rows."""
