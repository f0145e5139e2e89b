"""What vendors use who write a mapping: check, draft, explain, lineage, examples, differences."""
