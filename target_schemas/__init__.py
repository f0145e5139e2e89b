"""Where data lands: the standard systems' tables, and the loader that stages, promotes and rolls back."""
