"""The `copilot` command, and the only place that starts several parts in one process tree.

Nothing in this package decides: it parses what a person typed, calls the part that does the work,
and shows what came back, as lines for scripts or as a timeline for eyes.
"""
