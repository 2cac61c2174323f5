"""How the tables of this layer are made."""
