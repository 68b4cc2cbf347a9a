-- The IPv4 pairs of one part of the split, as in pairs.sql, in an order without meaning: IP Insights learns best when the accesses of one
-- entity are far apart. CTAS ignores ORDER BY, but writes rows in the order in which a window function emits them: this one spreads
-- accesses over shares by their second, and takes those of a share across the whole time window.
-- Input:  classified; {{part}}, 'train' or 'holdout'.
-- Output: entity, ip.
-- Cost:   reads classified and sorts the pairs; the logs are not scanned again.
select entity, ip
from (
  select
    entity,
    ip,
    -- Primes, so that neither full seconds nor full minutes coincide; and so many shares that one fits into a worker.
    row_number() over (
      partition by event_time % 1009
      order by (event_time % 1000003) * 611953 % 1000003, entity, ip
    ) as place
  from classified
  where drop_reason is null and family = 4 and part = {{part}}
)
where place > 0;
