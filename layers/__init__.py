"""How each table is made: one pure function per table, from frames to a frame."""
