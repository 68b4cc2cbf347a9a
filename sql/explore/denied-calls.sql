-- Who is denied most, and which calls? Somebody who tries out stolen keys is denied often.
-- AWS services have no principal, and are left out.
-- Source: cloudtrail.
-- Input:  accesses; {{from}} and {{to}}, the window in milliseconds since 1970.
-- Output: principal, user_name: one of them, denied, actions: how many different ones, ips.
-- Cost:   one scan of the run's staged objects, on Athena.
select
  principal,
  min(user_name) as user_name,
  count(*) as denied,
  count(distinct event_source || ' ' || event_name) as actions,
  count(distinct ip) as ips
from accesses
where event_time >= {{from}} and event_time < {{to}} and principal is not null
  and (error like '%AccessDenied%' or error like '%UnauthorizedOperation%')
group by principal
order by denied desc, principal;
