import type { Context } from '../../lib/cli/context.ts'
import { UsageError } from '../../lib/cli/errors.ts'
import { aboutUsd, bytes, plural } from '../../lib/cli/format.ts'
import { openAthena } from '../../lib/engines/athena/athena.ts'
import type { ExtractSettings } from '../../lib/engines/render.ts'
import { PRICES, priceNote } from '../../lib/runs/cost.ts'
import { hasPairs } from '../../lib/runs/pairs.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Run } from '../../lib/runs/run.ts'
import { stagedTotals } from '../../lib/runs/staged.ts'
import type { AwsSettings } from '../../lib/stores/open.ts'
import type { Extraction } from '../engine.ts'
import { previewOf } from '../render.ts'

interface Wish {
  readonly workgroup: string
  readonly database: string
  readonly queryTimeout: number
  readonly skipBadFiles: boolean
}

const costOf = (scanned: number): number => scanned * PRICES.athenaByte

/** With Athena, for a run in S3. */
export function inAthena(
  context: Context,
  run: Run,
  settings: ExtractSettings,
  wish: Wish,
  aws: AwsSettings,
): Extraction {
  if (wish.skipBadFiles)
    throw new UsageError(
      '--skip-bad-files: Athena reads all objects of a run or none',
      'stage and extract with a local --workspace to leave damaged files out',
    )
  const scratch = run.uriOf(`${paths.tmp}athena/`)
  const open = async (onState: (text: string) => void) =>
    openAthena({ ...aws, ...wish }, scratch, { signal: context.signal, warn: context.talk.warn, onState })

  const planned = async () => {
    const [totals, { workgroup, database }] = [await stagedTotals(run), await open(() => {})]
    const limit = workgroup.cutoff === undefined ? '' : `, which stops a query after ${bytes(workgroup.cutoff)}`
    if (workgroup.cutoff !== undefined && totals.bytes > workgroup.cutoff)
      context.talk.warn(
        `workgroup ${workgroup.name} stops a query after ${bytes(workgroup.cutoff)}: this one is larger`,
      )
    const cost = costOf(totals.bytes)
    const about: [string, string][] = [
      ['engine', `Athena, workgroup ${workgroup.name}${limit}, database ${database}`],
      ['cost', `${aboutUsd(cost)}: ${bytes(totals.bytes)} scanned once (${priceNote})`],
    ]
    return { totals, cost, about, preview: previewOf(run, totals, settings, { name: 'athena', about, usd: cost }) }
  }

  return {
    preview: async () => (await planned()).preview,

    isGone: async () => !(await hasPairs(run, 'train')) || (await run.store.head(paths.entities)) === undefined,

    approve: async (left) => {
      const { isScanPaid } = await import('./extract.ts')
      if (left !== undefined && (await isScanPaid(left, () => open(() => {})))) return
      const { totals, cost, preview } = await planned()
      await context.approve({
        action: `scan ${plural(totals.objects, 'object')} with Athena`,
        plan: preview.text.split('\n'),
        kind: 'spend',
        usd: cost,
      })
    },

    extract: async (checkpoint) => {
      const progress = context.progress('Athena')
      const athena = await open((text) => progress.state(text))
      const { extractWithAthena } = await import('./extract.ts')
      const { AthenaOutput } = await import('./output.ts')
      const { written, scannedBytes, ...extracted } = await extractWithAthena({
        run,
        athena,
        output: new AthenaOutput(run, athena, aws),
        checkpoint,
        settings,
        workspace: run.workspace,
        signal: context.signal,
        onState: (text) => progress.state(text),
      })
      progress.end(`${plural(extracted.events, 'record')}, ${bytes(scannedBytes)} scanned`)
      return { extracted, ...(written && { written }), scannedBytes, usd: costOf(scannedBytes) }
    },
  }
}
