-- One table of a build that is no longer wanted.
DROP TABLE IF EXISTS view_table__build;
