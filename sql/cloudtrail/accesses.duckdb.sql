-- Who came from where: one row for every CloudTrail record. Times are milliseconds since 1970, UTC.
-- The same columns in the same order as accesses.athena.sql.
SELECT
  epoch_ms(TRY_CAST(eventTime AS TIMESTAMPTZ)) AS event_time,
  eventID AS event_id,
  -- A role's principal id is followed by the session's name; the role is who.
  CASE WHEN userIdentity.type = 'AssumedRole' OR userIdentity.principalId LIKE 'AROA%'
       THEN split_part(userIdentity.principalId, ':', 1)
       ELSE userIdentity.principalId END AS principal,
  userIdentity.principalId AS principal_session,
  userIdentity.arn AS arn,
  coalesce(userIdentity.userName, userIdentity.sessionContext.sessionIssuer.userName) AS user_name,
  userIdentity.accessKeyId AS access_key,
  userIdentity.accountId AS account,
  sourceIPAddress AS ip,
  CASE WHEN eventTime IS NULL AND eventID IS NULL AND userIdentity IS NULL AND sourceIPAddress IS NULL THEN 'unreadable-record'
       WHEN TRY_CAST(eventTime AS TIMESTAMPTZ) IS NULL THEN 'no-event-time'
       WHEN userIdentity.type = 'AWSService' OR eventType = 'AwsServiceEvent' THEN 'aws-service'
       WHEN sourceIPAddress = 'AWS Internal' THEN 'aws-internal'
       END AS drop_reason
FROM {{records}}
