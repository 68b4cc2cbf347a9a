-- How many events does each account have, and from how many principals?
-- The account is the caller's; AWS services have none.
-- Source: cloudtrail.
-- Input:  accesses; {{from}} and {{to}}, the window in milliseconds since 1970.
-- Output: account, region, events, principals, ips.
-- Cost:   one scan of the run's staged objects, on Athena.
select account, region, count(*) as events, count(distinct principal) as principals, count(distinct ip) as ips
from accesses
where event_time >= {{from}} and event_time < {{to}}
group by account, region
order by events desc, account, region;
