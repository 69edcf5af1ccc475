"""The state of clusters that are not happy, put into words on schedule when the evidence is new."""
