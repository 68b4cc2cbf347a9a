-- Takes a table out of the catalog, on Athena; its objects stay where they are.
-- Input:  {{table}}, quoted as Hive does.
-- Cost:   none.
-- Output: nothing.
drop table if exists {{table}};
