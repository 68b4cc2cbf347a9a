-- Writes the rows of a query as CSV without header, quotes or compression, on Athena: what IP Insights reads.
-- Input:  {{table}}, a name for the result in the catalog; {{location}}, nothing or `, external_location = '…'`, an empty prefix;
--         {{query}}.
-- Output: text objects below the location, or below the workgroup's own where it enforces one.
-- Cost:   that of the query.
create table {{table}}
with (format = 'TEXTFILE', field_delimiter = ',', write_compression = 'NONE'{{location}}) as
{{query}};
