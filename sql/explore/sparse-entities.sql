-- Whom has the model seen too seldom to judge? Below five accesses to learn from, a score says little.
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
