import { UserError } from '../../cli/errors.ts'
import { paths } from '../../runs/paths.ts'
import type { Run } from '../../runs/run.ts'
import type { Source } from '../../sources/source.ts'

/**
 * A source in the form that the staged objects of a run have: Athena reads Parquet by another table than text.
 * @throws UserError when there are both, which no table reads
 */
export async function sourceInForm(source: Source, run: Run): Promise<Source> {
  if (source.parquet === undefined) return source
  const found = { parquet: '', text: '' }
  for await (const { key } of run.store.list({ prefix: paths.staged }))
    found[key.endsWith('.parquet') ? 'parquet' : 'text'] ||= key.slice(paths.staged.length)
  if (found.parquet === '') return source
  if (found.text === '') return { ...source, form: 'parquet', scans: 1 }
  throw new UserError(
    `run ${run.id} has text (${JSON.stringify(found.text)}) and Parquet (${JSON.stringify(found.parquet)}): Athena reads one form at a time`,
    {
      hint: 'stage each by itself: --logs, --account and --region name a part; or use a workspace on this machine, which reads both',
    },
  )
}
