"""What the steps of a run call: its town, its folder, its dumps, and what is found in them."""
