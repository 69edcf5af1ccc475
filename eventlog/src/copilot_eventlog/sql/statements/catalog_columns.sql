-- The columns of our tables, as the database has them.
-- $1 names of tables
SELECT t.relname::text AS table_name, c.attname::text AS column_name,
       format_type(c.atttypid, c.atttypmod) AS type, c.attnotnull AS required
FROM pg_attribute AS c
JOIN pg_class AS t ON t.oid = c.attrelid
JOIN pg_namespace AS s ON s.oid = t.relnamespace
WHERE t.relname = ANY ($1::text[]) AND t.relkind = 'r' AND s.nspname = current_schema()
  AND c.attnum > 0 AND NOT c.attisdropped
ORDER BY t.relname, c.attnum
