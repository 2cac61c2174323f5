"""Tests of what Airflow is given."""
