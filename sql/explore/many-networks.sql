-- Which entities come from many networks? A network is the first two numbers of an IPv4 address.
-- Input:  classified.
-- Output: entity, networks, ips, events.
-- Cost:   one scan of the run's staged objects, on Athena.
select
  entity,
  count(distinct split_part(ip, '.', 1) || '.' || split_part(ip, '.', 2)) as networks,
  count(distinct ip) as ips,
  count(*) as events
from classified
where drop_reason is null and family = 4
group by entity
having count(distinct split_part(ip, '.', 1) || '.' || split_part(ip, '.', 2)) > 1
order by networks desc, ips desc, entity;
