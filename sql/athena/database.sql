-- The database that holds the tables, on Athena.
-- Input:  {{database}}, quoted as Hive does.
-- Cost:   none.
create database if not exists {{database}};
