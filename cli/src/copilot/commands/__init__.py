"""One file per command or group of commands: its options, its help, its example.

A module here imports nothing heavy at its top; the work is imported when the command runs.
"""
