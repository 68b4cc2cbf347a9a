-- What did an entity request from an address?
-- Source: waf.
-- Input:  accesses; {{entity_column}}, that of --entity; {{entity_name}}, with --entity-name; {{ip}}, with --ip; {{address}}, the column ip with one text for each address; {{from}} and {{to}}, the window in milliseconds since 1970.
-- Output: event_time, method, host, uri, action, rule, user_agent.
-- Cost:   one scan of the run's staged objects, on Athena.
select event_time, method, host, uri, action, rule, user_agent
from accesses
where {{entity_column}} = {{entity_name}} and {{address}} = {{ip}} and event_time >= {{from}} and event_time < {{to}}
order by event_time, host, uri, event_id;
