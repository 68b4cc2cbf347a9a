-- Who comes from an address, and from the /24 around it? Of IPv6, only from the address.
-- Input:  classified; {{ip}}, the address, with --ip.
-- Output: ip, entity, train_events, holdout_events, first_time, last_time; the address itself comes first.
-- Cost:   one scan of the run's staged objects, on Athena.
select
  ip,
  entity,
  count(case when part = 'train' then 1 end) as train_events,
  count(case when part = 'holdout' then 1 end) as holdout_events,
  min(event_time) as first_time,
  max(event_time) as last_time
from classified
where drop_reason is null
  and split_part(ip, '.', 1) = split_part({{ip}}, '.', 1)
  and coalesce(split_part(ip, '.', 2), '') = coalesce(split_part({{ip}}, '.', 2), '')
  and coalesce(split_part(ip, '.', 3), '') = coalesce(split_part({{ip}}, '.', 3), '')
group by ip, entity
order by case when ip = {{ip}} then 0 else 1 end, first_time desc, ip, entity;
