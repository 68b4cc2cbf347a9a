-- Keeps the rows of a query as a table, on Athena, so that later statements need not scan the logs again.
-- Input:  {{table}}; {{location}}, nothing or `, external_location = '…'`, an empty prefix; {{query}}.
-- Output: the table.
-- Cost:   that of the query.
create table {{table}}
with (format = 'PARQUET'{{location}}) as
{{query}};
