"""Arrow batches -> target tables, as the municipalities' YAML says."""
