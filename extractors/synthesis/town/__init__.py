"""One invented town: what stands in every register of it, so that they hang together. One file an entity."""
