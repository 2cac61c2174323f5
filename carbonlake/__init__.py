"""The command: reads arguments, calls one function of a room below, prints."""
