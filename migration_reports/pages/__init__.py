"""How reports, the question and the summary are made of what is recorded."""
