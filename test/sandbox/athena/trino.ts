/** Makes DuckDB understand Trino. A macro shadows a function of the same name that means something else. */
export const PREPARATION = `
  set TimeZone = 'UTC';
  set integer_division = true;
  set lambda_syntax = 'ENABLE_SINGLE_ARROW';
  -- In Trino $ also stands before a line break at the end.
  create macro regexp_like(s, p) as regexp_matches(s, p)
    or (ends_with(p, '$') and ends_with(s, chr(10)) and regexp_matches(s[:-2], p));
  create macro regexp_replace(s, p) as system.main.regexp_replace(s, p, '', 'g'),
    (s, p, r) as system.main.regexp_replace(s, p, r, 'g');
  create macro split_part(s, d, i) as list_extract(string_split(s, d), i);
  create macro element_at(l, i) as list_extract(l, i);
  create macro sequence(a, b) as generate_series(a, b);
  create macro cardinality(l) as len(l);
  create macro array_join(l, d) as array_to_string(l, d);
  create macro concat(a, b) as a || b, (a, b, c) as a || b || c, (a, b, c, d) as a || b || c || d;
  create macro from_iso8601_timestamp(s) as cast(
    case when regexp_matches(s, '^[0-9]{4}-[0-9]{2}(-[0-9]{2}(T([0-9]{2}(:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?)?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?)?$')
      then s else 'no ISO 8601: ' || s end as timestamptz);
  create macro to_unixtime(t) as epoch(t);
  create macro from_unixtime(s) as to_timestamp(s);
  create macro json_extract_scalar(j, p) as json_extract_string(j, p);
  create macro approx_distinct(x) as approx_count_distinct(x);
  create macro to_milliseconds(i) as cast(epoch(i) * 1000 as bigint);`

/** Functions that Trino and DuckDB have alike, and those above; whatever else DuckDB knows, Trino might not. */
export const FUNCTIONS: ReadonlySet<string> = new Set(
  `regexp_like regexp_replace split_part element_at cardinality array_join concat from_iso8601_timestamp to_unixtime from_unixtime
  json_extract_scalar approx_distinct to_milliseconds abs avg ceil ceiling chr coalesce contains count count_if count_star current_date
  date_diff date_trunc dense_rank filter first_value floor greatest lag last_value lead least length ln lower lpad ltrim max max_by min min_by
  mod nullif ntile now power rank replace reverse round row_number rpad rtrim sqrt stddev strpos substr substring sum translate trim
  upper variance arbitrary bool_and bool_or every starts_with year month day hour minute second row unnest sequence current_timestamp if
  typeof sign bit_count levenshtein_distance any_value array_agg array_distinct array_sort
  list_value cast try try_cast percent_rank cume_dist nth_value constant_or_null random`
    .trim()
    .split(/\s+/),
)
