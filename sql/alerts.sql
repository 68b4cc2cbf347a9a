-- What was done in the accesses of flagged pairs: the most frequent values of each aspect. For Trino and DuckDB alike.
-- Input:  accesses; {{address}}, its ip with one text for each address; {{flagged}}, the pairs as rows of entity and ip, entities encoded; {{entity}}, a column of accesses, and
--         {{encoded}}, the codec over it; {{from}} and {{to}}, the window in milliseconds since 1970; {{delivery}}: delivery.sql,
--         or 1 where repeated deliveries count; {{most}}, how many values of an aspect. The aspects of the source: {{aspects}},
--         their names as rows; {{chosen}}, expressions over accesses with the names of columns; {{columns}}, these names; {{values}},
--         the column of each as branches of a case.
-- Output: entity, ip, aspect, value, events, first_event and last_event in milliseconds since 1970. The aspect `all` has one
--         value, which counts every access.
-- Cost:   that of accesses: on Athena one scan of the run's staged objects.
with flagged (entity, ip) as (values {{flagged}}),
aspects (aspect) as (values ('all'), {{aspects}}),
chosen as (
  select event_id, event_time, {{entity}} as entity, {{address}} as ip, drop_reason, {{chosen}}
  from accesses
  where drop_reason is null and event_time >= {{from}} and event_time < {{to}} and {{address}} in (select ip from flagged)
),
judged as (
  select event_id, event_time, {{encoded}} as entity, ip, drop_reason, {{columns}}
  from chosen
),
delivered as (
  select judged.*, {{delivery}} as delivery
  from judged
),
named as (
  select delivered.entity, delivered.ip, event_time, aspect,
    substr(case aspect when 'all' then 'all' {{values}} end, 1, 500) as value
  from delivered
  join flagged on flagged.entity = delivered.entity and flagged.ip = delivered.ip
  cross join aspects
  where delivery = 1
),
counted as (
  select entity, ip, aspect, value, count(*) as events, min(event_time) as first_event, max(event_time) as last_event
  from named
  where value is not null
  group by entity, ip, aspect, value
),
ranked as (
  select counted.*, row_number() over (partition by entity, ip, aspect order by events desc, value) as place
  from counted
)
select entity, ip, aspect, value, events, first_event, last_event
from ranked
where place <= {{most}}
order by entity, ip, aspect, place;
