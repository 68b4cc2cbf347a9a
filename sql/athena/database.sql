-- The database that holds the tables, on Athena.
-- Input:  {{database}}, quoted as Hive does.
-- Cost:   none.
-- Output: the database.
create database if not exists {{database}};
