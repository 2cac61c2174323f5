"""Pages for people, on the same app as the services."""
