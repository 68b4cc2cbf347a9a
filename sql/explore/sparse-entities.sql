-- Which entities has the model seen too rarely to judge? With fewer than five training accesses, a score says little.
-- Input:  classified.
-- Output: entity, train_events, events, ips.
-- Cost:   one scan of the run's staged objects, on Athena.
select
  entity,
  count(case when part = 'train' then 1 end) as train_events,
  count(*) as events,
  count(distinct ip) as ips
from classified
where drop_reason is null
group by entity
having count(case when part = 'train' then 1 end) < 5
order by train_events, events desc, entity;
