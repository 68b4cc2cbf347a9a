-- Counts the pairs of a part as Athena reads them back, line by line.
-- Input:  {{table}}, a table of csv.sql.
-- Output: pairs.
-- Cost:   scans the part.
select count(*) as pairs
from {{table}}
where entity is not null and ip is not null;
