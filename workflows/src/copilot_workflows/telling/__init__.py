"""The course that all workflows that word something share: by rule first, then by a model."""
