"""The knowledge base is brought to the pages that this program ships, on schedule."""
