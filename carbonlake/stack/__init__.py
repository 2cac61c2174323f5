"""The real components on this machine, without Docker: started from packages, watched, and stopped again."""
