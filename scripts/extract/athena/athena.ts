import { UsageError } from '../../lib/cli/errors.ts'
import { aboutUsd, bytes, plural } from '../../lib/cli/format.ts'
import { openAthena } from '../../lib/engines/athena/athena.ts'
import { sourceInForm } from '../../lib/engines/athena/form.ts'
import { itemsText, PRICES, priceNote, totalOf } from '../../lib/runs/cost.ts'
import { hasPairs } from '../../lib/runs/pairs.ts'
import { paths } from '../../lib/runs/paths.ts'
import { scanCosts, stagedTotals } from '../../lib/runs/staged.ts'
import { proveInPlace } from '../../lib/runs/unmoved.ts'
import type { ExtractBackend, ExtractStep } from '../extract.ts'
import { renderExtractPlan } from '../render.ts'

const costOf = (scanned: number): number => scanned * PRICES.athenaByte

/** Athena, for a run in S3. */
export function athenaBackend({ context, run, settings, options, aws }: ExtractStep): ExtractBackend {
  const inForm = async () => ({ ...settings, source: await sourceInForm(settings.source, run) })
  if (options.skipBadFiles)
    throw new UsageError(
      '--skip-bad-files: Athena reads all objects of a run or none',
      'stage and extract with a local --workspace to leave damaged files out',
    )
  const scratch = run.uriOf(`${paths.tmp}athena/`)
  const open = (onState: (text: string) => void = () => {}) =>
    openAthena({ ...aws, ...options }, scratch, { signal: context.signal, warn: context.talk.warn, onState })

  const planned = async () => {
    const { scans = 1 } = (await inForm()).source
    const [totals, { workgroup, database }] = [await stagedTotals(run), await open()]
    const limit = workgroup.cutoff === undefined ? '' : `, which stops a query after ${bytes(workgroup.cutoff)}`
    if (workgroup.cutoff !== undefined && totals.bytes * scans > workgroup.cutoff)
      context.talk.warn(
        `workgroup ${workgroup.name} stops a query after ${bytes(workgroup.cutoff)}: this one is larger`,
      )
    const items = scanCosts(totals, scans)
    const cost = totalOf(items)
    const about: [string, string][] = [
      ['engine', `Athena, workgroup ${workgroup.name}${limit}, database ${database}`],
      [
        'cost',
        `${aboutUsd(cost)}: ${bytes(totals.bytes)} scanned ${scans === 1 ? 'once' : `${scans} times`}, ${itemsText(items.slice(1))} (${priceNote})`,
      ],
    ]
    return { totals, cost, preview: renderExtractPlan(run, totals, settings, { name: 'athena', about, usd: cost }) }
  }

  return {
    preview: async () => (await planned()).preview,

    isGone: async () => {
      const part = run.result('extract').trainPairs > 0 ? 'train' : 'holdout'
      return !(await hasPairs(run, part)) || (await run.store.head(paths.entities)) === undefined
    },

    approve: async (left) => {
      const { isScanPaid } = await import('./statements.ts')
      if (left !== undefined && (await isScanPaid(left, open))) return
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
      await proveInPlace(run, aws, (text) => progress.state(text))
      const athena = await open((text) => progress.state(text))
      const { extractWithAthena } = await import('./statements.ts')
      const { AthenaOutput } = await import('./output.ts')
      const { written, scannedBytes, ...extracted } = await extractWithAthena({
        run,
        athena,
        output: new AthenaOutput(run, athena, aws),
        checkpoint,
        settings: await inForm(),
        onState: (text) => progress.state(text),
      })
      // What was read is what was selected only if it lies there still.
      await proveInPlace(run, aws, (text) => progress.state(text))
      progress.end(`${plural(extracted.events, 'record')}, ${bytes(scannedBytes)} scanned`)
      return { extracted, ...(written && { written }), scannedBytes, usd: costOf(scannedBytes) }
    },
  }
}
