-- What did the root users do? Nobody should need to use them.
-- Source: cloudtrail.
-- Input:  accesses; {{from}} and {{to}}, the window in milliseconds since 1970.
-- Output: account, ip, event_source, event_name, events, first_time, last_time.
-- Cost:   one scan of the run's staged objects, on Athena.
select account, ip, event_source, event_name, count(*) as events, min(event_time) as first_time, max(event_time) as last_time
from accesses
where event_time >= {{from}} and event_time < {{to}} and identity_type = 'Root' and drop_reason is null
group by account, ip, event_source, event_name
order by events desc, account, ip, event_source, event_name;
