-- Who came from where: one row for every CloudTrail record. Times are milliseconds since 1970, UTC.
-- The same columns in the same order as accesses.duckdb.sql.
SELECT
  CAST(to_unixtime(try(from_iso8601_timestamp(eventtime))) * 1000 AS BIGINT) AS event_time,
  eventid AS event_id,
  -- A role's principal id is followed by the session's name; the role is who.
  CASE WHEN useridentity.type = 'AssumedRole' OR useridentity.principalid LIKE 'AROA%'
       THEN split_part(useridentity.principalid, ':', 1)
       ELSE useridentity.principalid END AS principal,
  useridentity.principalid AS principal_session,
  useridentity.arn AS arn,
  coalesce(useridentity.username, useridentity.sessioncontext.sessionissuer.username) AS user_name,
  useridentity.accesskeyid AS access_key,
  useridentity.accountid AS account,
  sourceipaddress AS ip,
  CASE WHEN eventtime IS NULL AND eventid IS NULL AND useridentity IS NULL AND sourceipaddress IS NULL THEN 'unreadable-record'
       WHEN try(from_iso8601_timestamp(eventtime)) IS NULL THEN 'no-event-time'
       WHEN useridentity.type = 'AWSService' OR eventtype = 'AwsServiceEvent' THEN 'aws-service'
       WHEN sourceipaddress = 'AWS Internal' THEN 'aws-internal'
       END AS drop_reason
FROM {{records}}
