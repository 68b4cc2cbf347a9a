-- S3 access on DuckDB: the flat relation `accesses`, one row a request.
-- Input:  {{records}}, the records with the members that the source names.
-- Output: the columns of accesses.athena.sql, in its order; event_time in milliseconds since 1970.
-- Cost:   reads all records of the run.
select
  epoch_ms(try_strptime("time", '%d/%b/%Y:%H:%M:%S +0000')) as event_time,
  requestId as event_id,
  requester as requester,
  bucket as bucket,
  accessPoint as access_point,
  hostHeader as host,
  operation as operation,
  objectKey as object_key,
  split_part(requestUri, ' ', 1) as method,
  status as status,
  errorCode as error,
  userAgent as user_agent,
  remoteIp as ip,
  case
    when "time" is null and remoteIp is null and requester is null and operation is null then 'unreadable-record'
    when try_strptime("time", '%d/%b/%Y:%H:%M:%S +0000') is null then 'no-event-time'
    -- What S3 does by itself, as by a lifecycle rule, or for another service.
    when requester like 'svc:%' or operation like 'S3.%' then 'aws-service'
  end as drop_reason
from {{records}};
