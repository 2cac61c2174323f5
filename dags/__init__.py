"""Airflow: DAGs generated from contracts; imports neither Spark nor jobs."""
