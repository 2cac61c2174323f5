"""Settings: base.yaml and one file per environment, read by one typed class."""
