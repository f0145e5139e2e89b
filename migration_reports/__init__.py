"""What can be said of a run; imports no other stage."""
