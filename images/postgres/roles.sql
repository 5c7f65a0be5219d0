-- Roles, their passwords out of the environment, the database and who may do what in it. May be run again, as it is on
-- a database restored from a backup, whose passwords are those of another release.

-- There is no standby yet that a commit could wait for.
SET synchronous_commit = local;

\getenv database SCALE_DATABASE
\getenv owner_password SCALE_OWNER_PASSWORD
\getenv app_password SCALE_APP_PASSWORD
\getenv reader_password SCALE_READER_PASSWORD
\getenv monitor_password SCALE_MONITOR_PASSWORD

SELECT format('CREATE ROLE %I LOGIN', name)
FROM unnest(ARRAY['scale_owner', 'scale_app', 'scale_reader', 'monitor']) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec
ALTER ROLE scale_owner PASSWORD :'owner_password';
ALTER ROLE scale_app PASSWORD :'app_password';
ALTER ROLE scale_reader PASSWORD :'reader_password';
ALTER ROLE monitor PASSWORD :'monitor_password';
ALTER ROLE scale_reader SET default_transaction_read_only = on;
GRANT pg_monitor, pg_use_reserved_connections TO monitor;
GRANT pg_use_reserved_connections TO scale_owner;

SELECT format('CREATE DATABASE %I OWNER scale_owner', :'database')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database')
\gexec
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"database" TO scale_app;
GRANT CONNECT ON DATABASE :"database" TO scale_reader, monitor;

\connect :database
SET synchronous_commit = local;
ALTER SCHEMA public OWNER TO scale_owner;
GRANT USAGE ON SCHEMA public TO scale_app, scale_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE scale_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO scale_app;
ALTER DEFAULT PRIVILEGES FOR ROLE scale_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO scale_app;
ALTER DEFAULT PRIVILEGES FOR ROLE scale_owner IN SCHEMA public GRANT EXECUTE ON ROUTINES TO scale_app, scale_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE scale_owner IN SCHEMA public GRANT SELECT ON TABLES TO scale_reader;
