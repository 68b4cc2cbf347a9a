-- Which principals call with many different tools? A new one beside the usual ones is worth a look.
-- Source: cloudtrail.
-- Input:  accesses; {{from}} and {{to}}, the window in milliseconds since 1970.
-- Output: principal, user_name: one of them, user_agents, events, one_agent: one of them.
-- Cost:   one scan of the run's staged objects, on Athena.
select
  principal,
  min(user_name) as user_name,
  count(distinct user_agent) as user_agents,
  count(*) as events,
  min(user_agent) as one_agent
from accesses
where event_time >= {{from}} and event_time < {{to}} and principal is not null and user_agent is not null
group by principal
order by user_agents desc, events desc, principal;
