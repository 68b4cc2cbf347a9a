-- CloudTrail on DuckDB: the flat relation `accesses`, one row a record.
-- Input:  {{records}}, the records with the members that the source names.
-- Output: the columns of accesses.athena.sql, in its order; event_time in milliseconds since 1970, mfa as 'true' or 'false'.
-- Cost:   reads all records of the run.
select
  epoch_ms(try_cast(eventTime as timestamptz)) as event_time,
  eventID as event_id,
  -- Only unique ids of IAM (AROA…) are followed by a session's name; federated and web identities have other colons.
  case
    when regexp_matches(userIdentity.principalId, '^A[A-Z0-9]{3,}:') then split_part(userIdentity.principalId, ':', 1)
    else userIdentity.principalId
  end as principal,
  userIdentity.principalId as principal_session,
  userIdentity.arn as arn,
  coalesce(userIdentity.userName, userIdentity.sessionContext.sessionIssuer.userName) as user_name,
  userIdentity.accessKeyId as access_key,
  userIdentity.accountId as account,
  userIdentity.type as identity_type,
  userIdentity.sessionContext.attributes.mfaAuthenticated as mfa,
  eventSource as event_source,
  eventName as event_name,
  coalesce(errorCode, errorMessage) as error,
  userAgent as user_agent,
  awsRegion as region,
  recipientAccountId as recipient,
  sourceIPAddress as ip,
  case
    when eventTime is null and userIdentity is null and sourceIPAddress is null then 'unreadable-record'
    when epoch_ms(try_cast(eventTime as timestamptz)) is null then 'no-event-time'
    when userIdentity.type = 'AWSService' or eventType = 'AwsServiceEvent' then 'aws-service'
    -- Also `AWS Internal/#`, with a number.
    when sourceIPAddress like 'AWS Internal%' then 'aws-internal'
  end as drop_reason
from {{records}};
