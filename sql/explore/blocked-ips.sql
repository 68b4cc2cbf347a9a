-- Which addresses does the web ACL block, and by which rule?
-- Source: waf.
-- Input:  accesses; {{from}} and {{to}}, the window in milliseconds since 1970.
-- Output: ip, rule, events, user_agents, first_time, last_time.
-- Cost:   one scan of the run's staged objects, on Athena.
select
  ip,
  rule,
  count(*) as events,
  count(distinct user_agent) as user_agents,
  min(event_time) as first_time,
  max(event_time) as last_time
from accesses
where event_time >= {{from}} and event_time < {{to}} and action = 'BLOCK'
group by ip, rule
order by events desc, ip, rule;
