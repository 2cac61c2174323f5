"""The other sides: the same outputs made by hand, without the lakehouse."""
