-- Removes a table from the catalog, on Athena; its objects stay.
-- Input:  {{table}}, quoted as Hive does.
-- Cost:   none.
-- Output: nothing.
drop table if exists {{table}};
