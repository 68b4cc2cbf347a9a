-- Route 53 Resolver on DuckDB: the flat relation `accesses`, one row an address that a query was answered with, or one
-- a query where the address that asked is wanted.
-- Input:  {{records}}, the records with the members that the source names; {{address}}, 'srcaddr' or empty, as a literal.
-- Output: the columns of accesses.athena.sql, in its order; event_time in milliseconds since 1970.
-- Cost:   reads all records of the run.
with answered as (
  -- What is no address, such as another name, is no answer.
  select *, if({{address}} = 'srcaddr', null, list_filter(answers, lambda a: a."Type" in ('A', 'AAAA'))) as addresses from {{records}}
)
select
  epoch_ms(try_cast(query_timestamp as timestamptz)) as event_time,
  query_timestamp || ' ' || srcaddr || ' ' || srcport || ' ' || query_name
    || coalesce(' ' || list_extract(addresses, n).Rdata, '') as event_id,
  srcids.instance as instance,
  vpc_id as vpc,
  query_name as query_name,
  query_type as query_type,
  rcode as rcode,
  account_id as account,
  region as region,
  srcaddr as client,
  if({{address}} = 'srcaddr', srcaddr, list_extract(addresses, n).Rdata) as ip,
  case
    when query_timestamp is null and answers is null then 'unreadable-record'
    when epoch_ms(try_cast(query_timestamp as timestamptz)) is null then 'no-event-time'
  end as drop_reason
from answered
-- A query without any address still is a row.
cross join unnest(generate_series(1, greatest(1, coalesce(len(addresses), 1)))) as told (n);
