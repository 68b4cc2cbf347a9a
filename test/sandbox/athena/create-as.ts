import { readFile } from 'node:fs/promises'
import { identifier } from '../../../scripts/lib/engines/render.ts'
import type { Column } from './catalog.ts'
import type { Ctas } from './ctas.ts'
import { type Form, formOf, objectName, storageOf, textBytes } from './ctas-output.ts'
import type { Engine } from './engine.ts'
import { userError } from './errors.ts'
import { type Names, withEngine } from './load.ts'
import type { Objects } from './objects.ts'
import type { Parsed, Query } from './query.ts'
import type { AthenaSettings } from './settings.ts'
import type { Shared, Work } from './shared.ts'
import { textRows, writtenType } from './values.ts'

/** What a CTAS puts below its location. */
interface Produced {
  readonly columns: readonly Column[]
  readonly parts: readonly { readonly rows: number; readonly bytes: Buffer }[]
}

/** How the rows are written. */
interface Writing {
  readonly form: Form
  readonly settings: AthenaSettings
}

/** So many objects at most, however many rows. */
const MOST_OBJECTS = 30

/** Does the work of a CTAS, except writing. @throws QueryError */
export async function createAs(shared: Shared, query: Query, statement: Parsed<Ctas>, objects: Objects): Promise<Work> {
  const { catalog, settings } = shared
  const [database, { name }] = [statement.table.database ?? query.database, statement.table]
  for (const right of ['GetTable', 'CreateTable']) objects.allow(`glue:${right}`, `${database}/${name}`)
  if (!catalog.hasDatabase(database)) throw userError(`SCHEMA_NOT_FOUND: line 1:1: Schema ${database} not found`)
  if (catalog.find(database, name) !== undefined) {
    if (statement.ifNotExists) return { write: () => {} }
    throw userError(
      `TABLE_ALREADY_EXISTS: line 1:1: Destination table 'awsdatacatalog.${database}.${name}' already exists`,
    )
  }
  const form = formOf(statement, settings)
  const asked = statement.properties.external_location ?? `${query.output}tables/${query.id}`
  const location = `${String(asked).replace(/\/$/, '')}/`
  if (!objects.isEmpty(location))
    throw userError(
      `HIVE_PATH_ALREADY_EXISTS: Target directory for table '${database}.${name}' already exists: ${location}`,
    )
  const produced = await withEngine(shared, query, statement, objects, (engine, sql, names) =>
    produce(engine, sql, names, { form, settings }),
  )
  const made = { database, name, partitions: [], ...form, ...storageOf(form, location) }
  return {
    write: (share) => {
      const { columns, parts } = produced
      write(
        shared,
        query,
        form,
        location,
        objects,
        share === 'all' ? parts : parts.slice(0, Math.ceil(parts.length / 2)),
      )
      if (share === 'all') catalog.add({ ...made, columns, created: shared.s3.now() })
      if (share === 'all' && query.output !== undefined)
        objects.write(`${query.output}tables/${query.id}.metadata`, query.id)
    },
  }
}

function write({ s3 }: Shared, query: Query, form: Form, location: string, objects: Objects, parts: Produced['parts']) {
  const uris = parts.map(({ bytes, rows }) => {
    const uri = `${location}${objectName(s3.now(), form)}`
    objects.write(uri, bytes)
    query.written.bytes += bytes.length
    query.written.rows += rows
    return uri
  })
  if (query.output === undefined) return
  query.manifest = `${query.output}tables/${query.id}-manifest.csv`
  objects.write(query.manifest, uris.map((uri) => `${uri}\n`).join(''))
}

async function produce(engine: Engine, sql: string, names: Names, { form, settings }: Writing): Promise<Produced> {
  const unnamed = names.indexOf(undefined) + 1
  if (unnamed > 0)
    throw userError(`COLUMN_NAME_NOT_SPECIFIED: line 1:1: Column name not specified at position ${unnamed}`)
  await engine.run(`create temp table produced as ${sql}`)
  const empty = await engine.run('select * from produced limit 0')
  const types = empty.columnTypes().map(String)
  const columns = empty
    .columnNames()
    .map((name, i) => ({ name: name.toLowerCase(), type: writtenType(types[i] ?? '') }))
  // A sum is wider in DuckDB.
  const list = columns.map(({ name }, i) =>
    types[i] === 'HUGEINT' ? `cast(${identifier(name)} as bigint) as ${identifier(name)}` : identifier(name),
  )
  const total = Number((await engine.run('select count(*) from produced')).getRows()[0]?.[0])
  const size = Math.max(settings.rowsPerObject, Math.ceil(total / MOST_OBJECTS))
  const parts: { rows: number; bytes: Buffer }[] = []
  for (let from = 0; from < total; from += size) {
    const part = `select ${list.join(', ')} from produced limit ${size} offset ${from}`
    const bytes =
      form.format === 'parquet'
        ? await readFile(await engine.parquetOf(part))
        : textBytes(textRows(await engine.run(part), []), form)
    parts.push({ rows: Math.min(size, total - from), bytes })
  }
  if (settings.emptyObject && form.format === 'text') parts.push({ rows: 0, bytes: Buffer.alloc(0) })
  return { columns, parts }
}
