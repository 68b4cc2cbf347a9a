-- CloudTrail on Athena: the flat relation `accesses`, one row a record.
-- Input:  {{records}}, the table of table.sql.
-- Output: the columns of accesses.duckdb.sql, in its order; event_time in milliseconds since 1970.
-- Cost:   scans the whole table, so that it must hold the staged objects of one run and nothing else.
select
  cast(round(to_unixtime(try(from_iso8601_timestamp(eventtime))) * 1000) as bigint) as event_time,
  eventid as event_id,
  -- Only unique ids of IAM (AROA…) are followed by a session's name; federated and web identities have other colons.
  case
    when regexp_like(useridentity.principalid, '^A[A-Z0-9]{3,}:') then split_part(useridentity.principalid, ':', 1)
    else useridentity.principalid
  end as principal,
  useridentity.principalid as principal_session,
  useridentity.arn as arn,
  coalesce(useridentity.username, useridentity.sessioncontext.sessionissuer.username) as user_name,
  useridentity.accesskeyid as access_key,
  useridentity.accountid as account,
  sourceipaddress as ip,
  case
    when eventtime is null and eventid is null and useridentity is null and sourceipaddress is null then 'unreadable-record'
    when try(from_iso8601_timestamp(eventtime)) is null then 'no-event-time'
    when useridentity.type = 'AWSService' or eventtype = 'AwsServiceEvent' then 'aws-service'
    when sourceipaddress = 'AWS Internal' then 'aws-internal'
  end as drop_reason
from {{records}};
