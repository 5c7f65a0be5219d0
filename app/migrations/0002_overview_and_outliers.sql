-- Versions published before keep both empty: the site says so until the next run.
ALTER TABLE index_version ADD COLUMN outliers jsonb, ADD COLUMN overview jsonb;
