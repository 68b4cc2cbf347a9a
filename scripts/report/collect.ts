import type { Context } from '../lib/cli/command.ts'
import { Accesses } from '../lib/insights/accesses.ts'
import { parseCalibration } from '../lib/insights/calibration.ts'
import { encodeEntity } from '../lib/insights/entity-codec.ts'
import { parseAddress } from '../lib/insights/ipv6.ts'
import { pastOf } from '../lib/insights/past.ts'
import { type Alert, alertsOf, pairKey } from '../lib/runs/alerts.ts'
import { priceNote } from '../lib/runs/cost.ts'
import { nextCommand } from '../lib/runs/next.ts'
import { hasPairs, ipv6RowsOf, pairsOf, trainedIpv6 } from '../lib/runs/pairs.ts'
import { HOLDOUT, paths, scoreStep } from '../lib/runs/paths.ts'
import { pairProviders, type Usual, usualPlaces } from '../lib/runs/providers/history.ts'
import type { Providers } from '../lib/runs/providers/providers.ts'
import { windowOfRequest } from '../lib/runs/request.ts'
import type { Results, ScoredBy, ScoreResult } from '../lib/runs/results.ts'
import type { Run } from '../lib/runs/run.ts'
import { type Verdict, verdictsOf } from '../lib/runs/verdicts.ts'
import { sourceNameOf } from '../lib/sources/registry.ts'
import type { Anomaly, Attacks, Extracted, ReportData, RunFacts, Scored, Trained, Unjudged } from './data.ts'
import { questionsOf } from './questions.ts'
import { timelinesOf } from './timelines.ts'
import { VerdictSummary } from './verdict-summary.ts'

/** What stops the reading of large files, and completes the commands that a page shows. */
export type ReportContext = Pick<Context, 'signal' | 'completed'> & { readonly providers?: Providers | undefined }

/**
 * Everything that a report shows. What is not done yet is left out.
 * @param other the run that was judged by this run's model; undefined for the holdout
 * @throws UserError when the run is not even extracted, or a file of it is damaged
 */
export async function reportData(run: Run, other: Run | undefined, context: ReportContext): Promise<ReportData> {
  const isTrained = run.isDone('train')
  const judged = other?.id ?? HOLDOUT
  return {
    ...logsOf(run),
    ...(isTrained && { trained: await trainedOf(run) }),
    ...(isTrained &&
      run.isDone(scoreStep(judged)) && {
        scored: await scoredOf(run, other, context),
        questions: questionsOf(run, other, context),
      }),
    ...(other && { judged: logsOf(other) }),
    next: context.completed(nextCommand(isTrained ? scoreStep(judged) : 'train', run)),
  }
}

const logsOf = (run: Run) => ({ run: runFacts(run), extracted: extractedOf(run.result('extract')) })

async function trainedOf(run: Run): Promise<Trained> {
  const text = await run.store.text(paths.calibration)
  const calibration = text === undefined ? undefined : parseCalibration(text, run.uriOf(paths.calibration))
  return {
    hyperparameters: hyperparametersOf(run),
    ...(calibration !== undefined && { calibrated: calibration }),
  }
}

function runFacts(run: Run): RunFacts {
  const costs = Object.values(run.ledger.steps).map((step) =>
    step.result !== undefined && 'estimatedUsd' in step.result ? (step.result.estimatedUsd ?? 0) : 0,
  )
  const { objects, bytes } = run.result('stage')
  return {
    ...run.request,
    id: run.id,
    sourceName: sourceNameOf(run.request.source),
    objects,
    bytes,
    priceNote,
    usd: costs.reduce((sum, usd) => sum + usd, 0),
  }
}

function extractedOf({ dropped, ...extracted }: Results['extract']): Extracted {
  const reasons = Object.entries(dropped).map(([reason, events]) => ({ reason, events }))
  return { ...extracted, dropped: reasons.filter(({ events }) => events > 0).sort((a, b) => b.events - a.events) }
}

/** What was chosen, and what followed from it, under the algorithm's own names. */
function hyperparametersOf(run: Run): [string, string][] {
  const { epochs, vectorDim, numEntityVectors } = run.result('train')
  const followed: Readonly<Record<string, number>> = { epochs, vectorDim, numEntityVectors }
  const chosen = Object.entries(run.ledger.steps.train?.settings ?? {}).filter(([name]) => name !== 'alertsPerDay')
  return chosen.flatMap(([name, value]): [string, string][] => {
    const used = value ?? followed[name]
    return used === undefined ? [] : [[snake(name), JSON.stringify(used)]]
  })
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

async function scoredOf(run: Run, other: Run | undefined, { signal, providers }: ReportContext): Promise<Scored> {
  const judged = other?.id ?? HOLDOUT
  const result = run.result(scoreStep(judged))
  const verdicts = new VerdictSummary()
  for await (const batch of verdictsOf(run, judged, signal)) for (const verdict of batch) verdicts.add(verdict)
  // Without the training pairs the page does not say where entities come from; IPv6 pairs went with them.
  const ipv6 = (await hasPairs(run, 'train')) ? await ipv6RowsOf(run, signal) : []
  const trained = pastOf(new Accesses(await pairsOf(run, 'train', signal)), trainedIpv6(ipv6))
  const usualOf = usualPlaces(trained, providers)
  const providerOf = providers && pairProviders(providers, trained)
  const alerts = new Map((await alertsOf(run, judged)).map((alert) => [pairKey(alert), alert]))
  const attacks = attacksOf(result, verdicts)
  const top = verdicts.top()
  const shown = {
    run: other ?? run,
    from: other === undefined ? run.holdout().from : windowOfRequest(other.request).from,
  }
  const timelines = await timelinesOf(
    shown,
    top.filter(({ flagged }) => flagged),
  )
  const { scored, evidence = 0, attacks: _, by, ...counts } = result
  return {
    ...counts,
    judged: scored + evidence,
    evidence,
    bins: verdicts.bins(result.threshold),
    ...(timelines && { timelines }),
    top: top.map((verdict) => ({
      ...anomalyOf(verdict, alerts.get(pairKey(verdict)), { usualOf, providerOf }),
    })),
    allowedTop: verdicts.allowedTop().map((verdict) => anomalyOf(verdict, undefined, { usualOf, providerOf })),
    unjudged: verdicts.unjudged().map((one) => located(one, providers)),
    unjudgedEntities: verdicts.unjudgedEntities,
    days: daysOf(run, other),
    ...(attacks !== undefined && { attacks }),
    ...(by && { by: byText(by) }),
  }
}

const byText = (by: ScoredBy): string =>
  by.via === 'endpoint'
    ? `SageMaker endpoint ${by.endpoint} in ${by.region}`
    : `SageMaker transform job ${by.job} on ${by.instanceType} in ${by.region}`

interface Known {
  readonly usualOf: (entity: string) => readonly Usual[]
  readonly providerOf: ReturnType<typeof pairProviders> | undefined
}

/** Networks are named by the files of this page, or else by those with which it was scored. */
function anomalyOf(verdict: Verdict, alert: Alert | undefined, { usualOf, providerOf }: Known): Anomaly {
  const { verdict: _, dotProduct: __, anomalyScore = 0, provider: scored, ...rest } = verdict
  const provider =
    providerOf === undefined ? scored : providerOf(encodeEntity(verdict.entity), parseAddress(verdict.ip) ?? 0)
  const usual = providerOf === undefined ? alert?.usual : undefined
  return {
    ...rest,
    anomalyScore,
    usual: usual ?? usualOf(verdict.entity),
    ...(provider && { provider }),
    ...(alert?.details && { details: alert.details }),
  }
}

const located = ({ busiest, ...rest }: Unjudged, providers: Providers | undefined): Unjudged => ({
  ...rest,
  busiest: busiest.map((one) => {
    const provider = providers?.of(parseAddress(one.ip) ?? 0)
    return provider === undefined ? one : { ...one, provider }
  }),
})

/** Days of what was judged: of the holdout, or of the window of another run. */
function daysOf(run: Run, other: Run | undefined): number {
  if (other === undefined) return run.holdout().days
  const { from, to } = other.request
  return (Date.parse(to) - Date.parse(from)) / 86_400_000
}

function attacksOf({ attacks, flagged, threshold }: ScoreResult, verdicts: VerdictSummary): Attacks | undefined {
  if (attacks === null || attacks.length === 0) return undefined
  const curve = verdicts.againstAttacks(threshold)
  const found = attacks.reduce((sum, kind) => sum + kind.flagged, 0)
  return {
    ...(curve && { curve }),
    precision: flagged === 0 ? 0 : found / flagged,
    kinds: attacks.map(({ kind, attacks: all, flagged: hit, rules }) => ({
      kind,
      attacks: all,
      flagged: hit,
      ...(rules && { byRule: { ip: rules.ip.found, net24: rules.net24.found, net16: rules.net16.found } }),
    })),
  }
}
