"""The config compiler: from at most fifteen answers to files that work as they are."""
