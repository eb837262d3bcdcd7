#!/bin/bash
# Run once by the image, on an empty data directory: the service's role and its database. The role is no superuser, for
# whom row-level security would not hold.
set -euo pipefail

psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --set password="$SLATIMER_PASSWORD" <<'SQL'
CREATE ROLE slatimer LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'password';
CREATE DATABASE slatimer OWNER slatimer;
SQL
