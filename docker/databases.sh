#!/bin/sh
# Makes the databases when the volume is new; the passwords come from the keys, by input, not on a command line.
set -eu
for name in airflow carbonlake; do
  psql --quiet --set ON_ERROR_STOP=1 --username postgres --dbname postgres <<SQL
create role $name login password '$(cat "/keys/secrets/postgres-$name")';
create database $name owner $name;
SQL
done
