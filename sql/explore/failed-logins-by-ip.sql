-- From which addresses did console logins fail?
-- CloudTrail hides names that do not exist: all of them count as one user.
-- Source: cloudtrail.
-- Input:  accesses; {{from}} and {{to}}, the window in milliseconds since 1970.
-- Output: ip, failures, users, accounts, first_time, last_time.
-- Cost:   one scan of the run's staged objects, on Athena.
select
  ip,
  count(*) as failures,
  count(distinct user_name) as users,
  count(distinct account) as accounts,
  min(event_time) as first_time,
  max(event_time) as last_time
from accesses
where event_time >= {{from}} and event_time < {{to}} and event_name = 'ConsoleLogin' and error is not null
group by ip
order by failures desc, ip;
