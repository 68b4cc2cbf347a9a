-- Route 53 Resolver on Athena: the flat relation `accesses`, one row an address that a query was answered with, or one
-- a query where the address that asked is wanted.
-- Input:  {{table}}, the table of table.sql; {{run}}, the id of a run, and {{address}}, 'srcaddr' or empty, as literals.
-- Output: the columns of accesses.duckdb.sql, in its order; event_time in milliseconds since 1970.
-- Cost:   scans all staged objects of the run.
with answered as (
  -- What is no address, such as another name, is no answer.
  select *, if({{address}} = 'srcaddr', null, filter(answers, a -> a."type" in ('A', 'AAAA'))) as addresses from {{table}}
  where run = {{run}}
)
select
  cast(round(to_unixtime(try(from_iso8601_timestamp(query_timestamp))) * 1000) as bigint) as event_time,
  query_timestamp || ' ' || srcaddr || ' ' || srcport || ' ' || query_name
    || coalesce(' ' || element_at(addresses, n).rdata, '') as event_id,
  srcids.instance as instance,
  vpc_id as vpc,
  query_name as query_name,
  query_type as query_type,
  rcode as rcode,
  account_id as account,
  region as region,
  srcaddr as client,
  if({{address}} = 'srcaddr', srcaddr, element_at(addresses, n).rdata) as ip,
  case
    when query_timestamp is null and answers is null then 'unreadable-record'
    when try(from_iso8601_timestamp(query_timestamp)) is null then 'no-event-time'
  end as drop_reason
from answered
-- A query without any address still is a row.
cross join unnest(sequence(1, greatest(1, coalesce(cardinality(addresses), 1)))) as told (n);
