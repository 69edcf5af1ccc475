-- The primary keys of our tables and our other unique indexes, with their columns in order.
-- $1 names of tables and indexes
SELECT CASE WHEN x.indisprimary THEN t.relname ELSE i.relname END::text AS name,
       x.indisunique AS is_unique, x.indisvalid AS is_valid,
       string_agg(c.attname::text, ',' ORDER BY array_position(x.indkey::int2[], c.attnum)) AS columns
FROM pg_index AS x
JOIN pg_class AS i ON i.oid = x.indexrelid
JOIN pg_class AS t ON t.oid = x.indrelid
JOIN pg_namespace AS s ON s.oid = t.relnamespace
JOIN pg_attribute AS c ON c.attrelid = t.oid AND c.attnum = ANY (x.indkey::int2[])
WHERE s.nspname = current_schema()
  AND (i.relname = ANY ($1::text[]) OR (x.indisprimary AND t.relname = ANY ($1::text[])))
GROUP BY t.relname, i.relname, x.indisprimary, x.indisunique, x.indisvalid
