"""Read models rebuilt from the log, and what can be asked of them and of any past instant."""
