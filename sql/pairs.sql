-- The pairs of one part of the split. Repeats stay: they are the weights. For Trino and DuckDB alike.
-- Input:  classified; {{part}}, 'train' or 'holdout'.
-- Output: entity, ip.
select entity, ip
from classified
where drop_reason is null and part = {{part}};
