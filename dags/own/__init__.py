"""What a municipality has of its own in what all share: lines of reference tables, codes of open sets."""
