-- CloudTrail on Athena: the flat relation `accesses`, one row a record.
-- Input:  {{table}}, the table of table.sql; {{run}}, the id of a run, as a literal.
-- Output: the columns of accesses.duckdb.sql, in its order; event_time in milliseconds since 1970, mfa as 'true' or 'false'.
-- Cost:   scans all staged objects of the run.
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
  useridentity.type as identity_type,
  useridentity.sessioncontext.attributes.mfaauthenticated as mfa,
  eventsource as event_source,
  eventname as event_name,
  coalesce(errorcode, errormessage) as error,
  useragent as user_agent,
  awsregion as region,
  recipientaccountid as recipient,
  sourceipaddress as ip,
  case
    when eventtime is null and useridentity is null and sourceipaddress is null then 'unreadable-record'
    when try(from_iso8601_timestamp(eventtime)) is null then 'no-event-time'
    when useridentity.type = 'AWSService' or eventtype = 'AwsServiceEvent' then 'aws-service'
    -- Also `AWS Internal/#`, with a number.
    when sourceipaddress like 'AWS Internal%' then 'aws-internal'
  end as drop_reason
from {{table}}
where run = {{run}};
