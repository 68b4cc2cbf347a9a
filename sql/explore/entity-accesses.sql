-- What did an entity do from an address, of any source?
-- Input:  accesses; {{aspects}}, what alerts of the source tell; {{entity_column}}, that of --entity; {{entity_name}}, with --entity-name; {{ip}}, with --ip; {{address}}, the column ip with one text for each address; {{from}} and {{to}}, the window in milliseconds since 1970.
-- Output: event_time, ip, aspects: a column each.
-- Cost:   one scan of the run's staged objects, on Athena.
select event_time, ip, {{aspects}}
from accesses
where {{entity_column}} = {{entity_name}} and {{address}} = {{ip}} and event_time >= {{from}} and event_time < {{to}}
order by event_time, event_id;
