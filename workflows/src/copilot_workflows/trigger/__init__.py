"""The trigger: one workflow per transition and per ended incident, from its own checkpoint."""
