"""Adapters: the files of one SDK or one platform, rendered from a profile."""
