import { randomUUID } from 'node:crypto'
import { openAthena } from '../../lib/engines/athena/athena.ts'
import { notedAttempts } from '../../lib/engines/athena/attempts.ts'
import { dropTable } from '../../lib/engines/athena/sql.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Run } from '../../lib/runs/run.ts'
import type { AwsSettings } from '../../lib/stores/open.ts'
import type { Leftover } from './leftovers.ts'

/** Statements of extraction that make a table. */
const TABLES = ['classified', 'train', 'holdout', 'times', 'entities']

/** Tables that an extraction which never came to its end has left in the catalog. */
function attemptTables(run: Run): string[] {
  const extract = run.ledger.steps.extract
  const noted = notedAttempts(extract?.checkpoint)
  // One that was done has dropped them itself.
  if (extract?.state === 'done' || noted === undefined) return []
  const { salt, queries } = noted
  return TABLES.flatMap((table) =>
    Array.from({ length: queries[table]?.attempt ?? 0 }, (_, i) => `${table}_${salt}_${i + 1}`),
  )
}

export interface AthenaWish extends AwsSettings {
  readonly workgroup: string
  readonly database: string
  readonly queryTimeout: number
}

/** The tables, as one thing. Undefined when there are none. */
export function tableLeftovers(run: Run, wish: AthenaWish, warn: (text: string) => void): Leftover | undefined {
  const tables = attemptTables(run)
  if (tables.length === 0) return undefined
  return {
    what: 'Athena tables',
    files: tables.length,
    bytes: 0,
    note: `of interrupted extractions: ${tables.join(', ')}`,
    remove: async (signal) => {
      const scratch = run.uriOf(`${paths.tmp}athena/`)
      const athena = await openAthena(wish, scratch, { signal, warn, onState: () => {} })
      for (const table of tables) {
        // A new token each time: dropping is done again at no cost, and what once failed must not be remembered.
        const id = await athena.start(await dropTable(wish.database, table), randomUUID())
        await athena.finish(id)
      }
    },
  }
}
