"""The only place where an engine meets storage: landing, reading, building, maintaining, asking, tracing."""
