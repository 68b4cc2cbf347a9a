-- The IPv4 pairs of one part of the split. Repeats stay: they are the weights. For Trino and DuckDB alike.
-- Input:  classified; {{part}}, 'train' or 'holdout'.
-- Output: entity, ip.
-- Cost:   reads classified, which is kept as a table: the logs are not scanned again.
select entity, ip
from classified
where drop_reason is null and family = 4 and part = {{part}};
