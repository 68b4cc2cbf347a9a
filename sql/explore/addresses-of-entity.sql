-- From which addresses does an entity come, and since when? The newest first.
-- Input:  classified; {{entity}}, its name, with --entity-name.
-- Output: ip, train_events, holdout_events, first_time, last_time.
-- Cost:   one scan of the run's staged objects, on Athena.
select
  ip,
  count(case when part = 'train' then 1 end) as train_events,
  count(case when part = 'holdout' then 1 end) as holdout_events,
  min(event_time) as first_time,
  max(event_time) as last_time
from classified
where drop_reason is null and entity = {{entity}}
group by ip
order by first_time desc, ip;
