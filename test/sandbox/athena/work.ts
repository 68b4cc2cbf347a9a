import { createAs } from './create-as.ts'
import { define } from './ddl-table.ts'
import { withEngine } from './load.ts'
import { Objects } from './objects.ts'
import { type Parsed, type Query, resultObject } from './query.ts'
import type { Shared, Work } from './shared.ts'
import type { Select } from './statement.ts'
import { csvText, textRows } from './values.ts'

/** Does the work of a statement, except writing. @throws QueryError */
export async function work(shared: Shared, query: Query): Promise<Work> {
  const { statement } = query
  const objects = new Objects(shared.s3, query.caller)
  Object.assign(query.scanned, { bytes: 0, rows: 0 })
  objects.enter(shared, query.database)
  if (statement.kind === 'ctas') return createAs(shared, query, statement, objects)
  if (statement.kind === 'select') return select(shared, query, statement, objects)
  return {
    write: (share) => {
      if (share !== 'all') return
      define(shared, query, statement, objects)
      const at = resultObject(query)
      if (at !== undefined) objects.write(at, statement.kind === 'drop-table' ? '\n' : '')
    },
  }
}

async function select(shared: Shared, query: Query, statement: Parsed<Select>, objects: Objects): Promise<Work> {
  const rows = await withEngine(shared, query, statement, objects, async (engine, sql, names) =>
    textRows(await engine.run(sql), names),
  )
  return {
    write: (share) => {
      if (share !== 'all') return
      const [at, text] = [resultObject(query), csvText(rows)]
      query.rows = rows
      Object.assign(query.written, { rows: rows.rows.length, bytes: Buffer.byteLength(text) })
      if (at === undefined) return
      objects.write(at, text)
      objects.write(`${at}.metadata`, query.id)
    },
  }
}
