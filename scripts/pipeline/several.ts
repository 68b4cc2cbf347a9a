import { awsOf } from '../lib/aws/settings.ts'
import type { CommandResult, Context } from '../lib/cli/command.ts'
import { named, together } from '../lib/cli/contexts.ts'
import { exitCodeOfAll, type Failure, failedAltogether, sourceFailure } from '../lib/cli/failures.ts'
import { duration, facts } from '../lib/cli/format.ts'
import { openProviders } from '../lib/runs/providers/providers.ts'
import type { Run } from '../lib/runs/run.ts'
import { windowOf } from '../lib/runs/window.ts'
import { locationOf } from '../lib/stores/uri.ts'
import { noLogs } from '../stage/request.ts'
import { type Given, resultLines, resultText, stepResults, type Taken, takeThrough } from './one.ts'
import { entitiesOf, nameOfAll } from './sources.ts'

/** What all sources have in common. */
export type GivenToAll = Given & {
  readonly logs: string | undefined
  readonly account: readonly string[]
  readonly region: readonly string[]
  readonly from: string | undefined
  readonly to: string | undefined
  readonly last: string | undefined
  readonly entity: string | undefined
  readonly networks: readonly string[]
}

/** How one source ended. */
interface End {
  readonly source: string
  readonly taken: Taken
  /** With the results of all steps; absent for a plan, and where a step failed. */
  readonly run?: Run | undefined
  readonly failure?: Failure
}

/** Takes several sources through all steps, into one report. If one fails, the others still finish. */
export async function takeSeveral(
  context: Context,
  sources: readonly string[],
  given: GivenToAll,
): Promise<CommandResult> {
  const started = context.now().getTime()
  if (given.logs === undefined) throw noLogs()
  const entities = entitiesOf(sources, given.entity)
  const { from, to } = windowOf(given, context.now())
  const shared = { ...given, from: from.toISOString(), to: to.toISOString() }
  const ends = await endsOf(context, sources, (source) => ({ ...shared, source, entity: entities.get(source) }))
  context.signal.throwIfAborted()
  const failures = ends.flatMap(({ failure }) => failure ?? [])
  if (failures.length === ends.length) throw bugIn(failures) ?? failedAltogether(failures)
  const page = given.dryRun ? undefined : await combined(context, { ...shared, logs: given.logs }, ends)
  for (const failure of failures) context.talk.warn(`${failure.source} failed: ${told(failure)}`)
  const bug = bugIn(failures)
  if (bug !== undefined) throw bug
  const took = duration(context.now().getTime() - started)
  return renderSeveral(ends, given.again, page && { ...page, took })
}

/** In AWS side by side. Here one after the other: a query or a training takes all cores and most of the memory. */
async function endsOf(
  context: Context,
  sources: readonly string[],
  givenTo: (source: string) => Given,
): Promise<End[]> {
  const take = (asker: Context, source: string) => endOf(named(asker, source), source, givenTo(source))
  const inAws = sources.every((source) => locationOf(givenTo(source).workspace).kind === 's3')
  if (inAws) {
    const shared = together(context)
    return Promise.all(sources.map((source) => take(shared, source)))
  }
  const ends: End[] = []
  for (const source of sources) ends.push(await take(context, source))
  return ends
}

async function endOf(context: Context, source: string, given: Given): Promise<End> {
  const taken: Taken = { steps: new Map() }
  try {
    return { source, taken, run: await takeThrough(context, given, taken) }
  } catch (error) {
    const failure = sourceFailure(source, error)
    if (!context.signal.aborted) context.talk.info(`failed: ${failure.message}`)
    return { source, taken, failure }
  }
}

const told = ({ message, hint }: Failure): string => (hint === undefined ? message : `${message}\n  ${hint}`)

const bugIn = (failures: readonly Failure[]): unknown => failures.find(({ bug }) => bug !== undefined)?.bug

/** The page over all sources, as it is told at the end. */
interface Page {
  readonly report: string
  /** Flagged addresses that several sources have, for programs and as one line. */
  readonly shared?: { readonly json: object; readonly text: string }
}

/** Writes the page over all sources; the same sources, logs and window replace it. */
async function combined(
  context: Context,
  given: GivenToAll & { readonly logs: string; readonly from: string; readonly to: string },
  ends: readonly End[],
): Promise<Page> {
  const [{ writeCombined }, { sharedText }] = await Promise.all([
    import('../report/combined.ts'),
    import('../report/shared-addresses.ts'),
  ])
  const sources = ends.map(({ source }) => source)
  const page = { workspace: given.workspace, name: nameOfAll(sources, given) }
  const parts = ends.map((end) => ({ ...end, run: end.taken.run }))
  const providers = await openProviders(given.networks)
  const { report, shared } = await writeCombined(page, parts, awsOf(given, context), { ...context, providers })
  return { report, ...(shared && { shared: { json: shared, text: sharedText(shared) } }) }
}

function renderSeveral(
  ends: readonly End[],
  again: string,
  page: (Page & { readonly took: string }) | undefined,
): CommandResult {
  const failures = ends.flatMap(({ failure }) => failure ?? [])
  const by = <T>(of: (end: End) => T | undefined) =>
    Object.fromEntries(ends.flatMap((end) => (of(end) === undefined ? [] : [[end.source, of(end)]])))
  const failed = by(({ failure }) => failure && { message: failure.message, hint: failure.hint ?? null })
  const blocks = ends.map((end) => `${end.source}\n${textOf(end, again)}`)
  const last: [string, string][] = page
    ? [
        ...(page.shared ? [['seen in several', page.shared.text] satisfies [string, string]] : []),
        ['took', page.took],
        ['report', page.report],
      ]
    : []
  return {
    json: {
      runs: by(({ taken }) => taken.run),
      steps: by(({ taken }) => stepResults(taken)),
      ...(failures.length > 0 && { failed }),
      ...(page?.shared && { shared: page.shared.json }),
      ...(page && { report: page.report }),
    },
    text: [...blocks, ...(last.length > 0 ? [facts(last)] : [])].join('\n\n'),
    ...(failures.length > 0 && { exitCode: exitCodeOfAll(failures) }),
  }
}

function textOf({ taken, failure, run }: End, again: string): string {
  if (failure !== undefined) {
    const { message, hint } = failure
    return facts([['failed', message], hint === undefined ? undefined : ['to do', hint]])
  }
  return run === undefined ? (taken.steps.get('stage')?.text ?? '') : resultText(taken, resultLines(run, taken, again))
}
