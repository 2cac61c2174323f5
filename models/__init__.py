"""How activity becomes emission, and other algorithms: no engine, no storage, no clock."""
