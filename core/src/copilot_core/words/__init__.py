"""From the events of a log to sentences: the book, the story in it, and how it is worded."""
