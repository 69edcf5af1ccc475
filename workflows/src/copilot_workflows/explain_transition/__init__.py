"""A transition in better words: workflow id = event id of the transition."""
