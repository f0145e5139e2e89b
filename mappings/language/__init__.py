"""What a municipality's folder says: manifest, mappings, packages, code tables, examples, read with every problem."""
