-- What did an entity do from wherever, from six hours before it came from an address to six hours after?
-- Source: cloudtrail.
-- Input:  accesses; {{entity_column}}, that of --entity; {{entity_name}}, with --entity-name; {{ip}}, with --ip; {{address}}, the column ip with one text for each address; {{from}} and {{to}}, the window in milliseconds since 1970.
-- Output: event_time, ip, event_source, event_name, error, region, access_key, user_agent.
-- Cost:   one scan of the run's staged objects, on Athena.
with own as (
  select event_id, event_time, ip, event_source, event_name, error, region, access_key, user_agent,
    min(case when {{address}} = {{ip}} then event_time end) over () as first_there,
    max(case when {{address}} = {{ip}} then event_time end) over () as last_there
  from accesses
  where {{entity_column}} = {{entity_name}} and event_time >= {{from}} and event_time < {{to}}
)
select event_time, ip, event_source, event_name, error, region, access_key, user_agent
from own
where event_time >= first_there - 21600000 and event_time <= last_there + 21600000
order by event_time, event_source, event_name, event_id;
