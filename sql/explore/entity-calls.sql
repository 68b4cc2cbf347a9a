-- What did an entity do from an address?
-- Source: cloudtrail.
-- Input:  accesses; {{entity_column}}, that of --entity; {{entity_name}}, with --entity-name; {{ip}}, with --ip; {{address}}, the column ip with one text for each address; {{from}} and {{to}}, the window in milliseconds since 1970.
-- Output: event_time, event_source, event_name, error, region, recipient, access_key, mfa, user_agent.
-- Cost:   one scan of the run's staged objects, on Athena.
select event_time, event_source, event_name, error, region, recipient, access_key, mfa, user_agent
from accesses
where {{entity_column}} = {{entity_name}} and {{address}} = {{ip}} and event_time >= {{from}} and event_time < {{to}}
order by event_time, event_source, event_name, event_id;
