"""Tests on real servers, started from packages."""
