"""Side-by-side runs of the lakehouse against doing it by hand."""
