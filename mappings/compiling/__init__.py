"""From what a mapping says to the plan that the engine runs."""
