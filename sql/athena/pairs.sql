-- The pairs of one part of the split as pairs.sql has them, in an order that says nothing: IP Insights learns best when the accesses
-- of one entity lie far apart. Athena ignores ORDER BY where it makes a table, but writes rows as a window hands them on: it
-- spreads accesses over shares by their second and takes those of a share across the whole window of time.
-- Input:  classified; {{part}}, 'train' or 'holdout'.
-- Output: entity, ip.
-- Cost:   reads classified and sorts the pairs; the logs are not scanned again.
select entity, ip
from (
  select
    entity,
    ip,
    -- Primes, so that neither full seconds nor full minutes fall together; and so many shares that one fits a worker.
    row_number() over (
      partition by event_time % 1009
      order by (event_time % 1000003) * 611953 % 1000003, entity, ip
    ) as place
  from classified
  where drop_reason is null and part = {{part}}
)
where place > 0;
