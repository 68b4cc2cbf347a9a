-- Which users call with a session that had no second factor?
-- Long-term access keys have no session, and do not appear here.
-- Source: cloudtrail.
-- Input:  accesses; {{from}} and {{to}}, the window in milliseconds since 1970.
-- Output: principal, user_name: one of them, events, ips, event_names.
-- Cost:   one scan of the run's staged objects, on Athena.
select
  principal,
  min(user_name) as user_name,
  count(*) as events,
  count(distinct ip) as ips,
  count(distinct event_name) as event_names
from accesses
where event_time >= {{from}} and event_time < {{to}} and identity_type in ('IAMUser', 'Root') and mfa = 'false'
group by principal
order by events desc, principal;
