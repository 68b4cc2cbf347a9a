import { createHash } from 'node:crypto'
import type { AwsSettings } from '../../lib/aws/settings.ts'
import { bytes } from '../../lib/cli/format.ts'
import { openAthena } from '../../lib/engines/athena/athena.ts'
import { Attempts, notedAttempts } from '../../lib/engines/athena/attempts.ts'
import { accessesSql } from '../../lib/engines/athena/sql.ts'
import { ensureTable } from '../../lib/engines/athena/table.ts'
import { withRelations } from '../../lib/engines/render.ts'
import type { Checkpoint, Saved } from '../../lib/runs/checkpoints.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Run } from '../../lib/runs/run.ts'
import type { Logs, LookupOptions, Rows, ScoreRecord } from './lookup.ts'

type AthenaOptions = LookupOptions & AwsSettings

const open = (judged: Run, options: AthenaOptions, { context }: Pick<Logs, 'context'>, onState = (_: string) => {}) =>
  openAthena(options, judged.uriOf(`${paths.tmp}athena/`), {
    signal: context.signal,
    warn: context.talk.warn,
    onState,
  })

/** Asks Athena: one scan of the judged run's logs, which an interrupted attempt at the same statement has paid for. */
export async function lookUpInAthena(
  sql: string,
  logs: Logs,
  options: AthenaOptions,
  checkpoint: Checkpoint<Saved<'score'>> | undefined,
): Promise<Rows> {
  const { judged, source, context } = logs
  const progress = context.progress('looking up alerts')
  const athena = await open(judged, options, logs, (text) => progress.state(text))
  const attempts = new Attempts(athena, checkpoint ?? { saved: {}, save: async () => {} }, judged.id)
  await ensureTable(athena, attempts, source, judged.workspace)
  const accesses = await accessesSql({ source, database: athena.database, run: judged.id })
  const whole = withRelations({ accesses }, sql)
  // Other pairs are another question.
  const name = `${LOOKUP}${createHash('sha256').update(whole).digest('hex').slice(0, 12)}`
  const done = await attempts.run(name, 'looking up what the alerts are about', () => whole)
  const rows: (readonly (string | null)[])[] = []
  for await (const row of athena.rows(done.id)) rows.push(row)
  progress.end(`${bytes(done.scannedBytes)} scanned`)
  return rows
}

const LOOKUP = 'alerts_'

/** Whether the scan is done, under way, or was about to start when an attempt was killed. */
export async function isLookupPaid(
  { state, checkpoint }: ScoreRecord,
  logs: Logs,
  options: AthenaOptions,
): Promise<boolean> {
  const noted = Object.entries(notedAttempts(checkpoint)?.queries ?? {}).find(([name]) => name.startsWith(LOOKUP))?.[1]
  if (noted === undefined) return false
  // Only its token tells whether that query was started. Sent again, the token starts no second query.
  return noted.id === null ? state === 'running' : (await open(logs.judged, options, logs)).isGood(noted.id)
}
