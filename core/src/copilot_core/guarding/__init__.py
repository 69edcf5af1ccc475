"""The door for foreign text: secrets never pass it, names become pseudonyms."""
