"""The vocabulary of the copilot and every decision it takes, as pure functions.

Nothing in this package reads a clock, a file, the environment or the network: time enters as a
field of the input, ids are derived. Everything else in the workspace carries data to these
functions, stores what they said, or shows what was stored.
"""
