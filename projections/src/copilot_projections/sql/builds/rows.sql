-- All rows of one table of a build, in order of its key. The names come from the table's definition.
SELECT all_columns FROM view_table__build ORDER BY key_columns
