"""Nobody is believed: claims are recomputed from a book, and text is read against its claims."""
