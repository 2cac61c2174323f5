"""Tests of the rooms that move data."""
