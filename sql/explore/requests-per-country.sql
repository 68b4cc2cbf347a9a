-- From which countries do requests come, as WAF sees it, and how many are blocked?
-- Source: waf.
-- Input:  accesses; {{from}} and {{to}}, the window in milliseconds since 1970.
-- Output: country, events, blocked, ips, hosts.
-- Cost:   one scan of the run's staged objects, on Athena.
select
  country,
  count(*) as events,
  count(case when action = 'BLOCK' then 1 end) as blocked,
  count(distinct ip) as ips,
  count(distinct host) as hosts
from accesses
where event_time >= {{from}} and event_time < {{to}}
group by country
order by events desc, country;
