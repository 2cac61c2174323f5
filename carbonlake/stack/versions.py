"""The versions of the stack, told once: `carbonlake stack` starts them, docker/compose.yaml names the same."""

from __future__ import annotations

# MinIO publishes no more releases: the last commit of its source, as Go names it.
MINIO = "v0.0.0-20260212201848-7aac2a2c5b7c"
TRINO = "476"
KAFKA = "4.3.1"
SCALA = "2.13"
LOG4J = "2.25.4"
SPARK = "4.2.0"
AIRFLOW = "3.3.2"
# Of these the system's package decides; the oldest one that does.
POSTGRES = 15
MOSQUITTO = "2.0"
# What they run on.
TRINO_JAVA = 24
GO = "1.24"
