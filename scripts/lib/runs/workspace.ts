import pMap from 'p-map'
import { awsOf, runHostOf } from '../aws/settings.ts'
import type { Context } from '../cli/command.ts'
import { UsageError, UserError } from '../cli/errors.ts'
import { suggestion } from '../cli/nearest.ts'
import { FILES, knownIds } from '../sources/registry.ts'
import { type AwsSettings, type Logs, openLogs, openStore } from '../stores/open.ts'
import { ConditionFailed, type Store } from '../stores/store.ts'
import { namedRuns, noteNamed } from './latest.ts'
import { LEDGER_VERSION, type Ledger, readLedger, writeLedger } from './ledger.ts'
import { LATEST, RUNS, runStore } from './paths.ts'
import { isSameRequest, type Request, runIdOf } from './request.ts'
import { Run } from './run.ts'

/** The run of this request, created where it does not exist; it becomes the latest. @param id default: that of the request */
export async function createRun(
  workspace: string,
  request: Request,
  aws: AwsSettings = {},
  id = runIdOf(request),
): Promise<Run> {
  const root = await openStore(workspace, aws)
  const run = await createIn(root, request, { id, aws })
  await noteNamed(root, run)
  return run
}

async function createIn(root: Store, request: Request, { id, aws }: { id: string; aws: AwsSettings }): Promise<Run> {
  const store = runStore(root, id)
  const existing = await readLedger(store)
  if (existing !== undefined) return runOf(store, existing, request, aws)
  const now = runHostOf(aws).now().toISOString()
  const ledger: Ledger = { version: LEDGER_VERSION, id, createdAt: now, touchedAt: now, request, steps: {} }
  try {
    await writeLedger(store, ledger, { ifAbsent: true })
    return new Run(store, ledger, runHostOf(aws))
  } catch (error) {
    // Another process was first; its ledger may hold steps already.
    const theirs = error instanceof ConditionFailed ? await readLedger(store) : undefined
    if (theirs === undefined) throw error
    return runOf(store, theirs, request, aws)
  }
}

function runOf(store: Store, ledger: Ledger, request: Request, aws: AwsSettings): Run {
  if (isSameRequest(ledger.request, request)) return new Run(store, ledger, runHostOf(aws))
  throw new UserError(`run ${ledger.id} exists, but for another request: ${JSON.stringify(ledger.request)}`, {
    hint: `choose another --workspace, or move ${store.uri} away`,
  })
}

/** The run of this request; undefined if there is none. */
export async function findRun(
  workspace: string,
  request: Request,
  aws: AwsSettings = {},
  id = runIdOf(request),
): Promise<Run | undefined> {
  const store = runStore(await openStore(workspace, aws), id)
  const ledger = await readLedger(store)
  return ledger === undefined ? undefined : runOf(store, ledger, request, aws)
}

/** Options that choose a run. */
export interface RunChoice extends AwsSettings {
  readonly workspace: string
  /** An id, or `latest`. */
  readonly run: string
  /** `latest` means the latest run of these sources; of any source if there are none. */
  readonly source?: string | readonly string[] | undefined
  readonly dryRun?: boolean
}

/** The run that the options choose. It becomes the latest; for `latest`, says which run that is. @throws UserError listing the runs */
export async function chosenRun(choice: RunChoice, context: Context): Promise<Run> {
  const run = await found(choice, context, undefined)
  if (choice.dryRun !== true) await touchRun(run, awsOf(choice, context))
  return run
}

/**
 * The run whose pairs the model of another run judges. `latest` is the latest run of the same source that is not the model's own. The
 * model's run stays the latest, and this one becomes the one before it.
 */
export async function otherRun(choice: RunChoice, model: Run, context: Context): Promise<Run> {
  const { source } = model.request
  const run = await found({ ...choice, source: source === FILES ? [] : source }, context, model.id)
  const aws = awsOf(choice, context)
  if (choice.dryRun !== true) for (const touched of [run, model]) await touchRun(touched, aws)
  return run
}

async function found(choice: RunChoice, context: Context, except: string | undefined): Promise<Run> {
  const { workspace, run: id } = choice
  const aws = awsOf(choice, context)
  if (id !== 'latest') return openRun(workspace, id, aws)
  const sources = [choice.source ?? []].flat()
  const unknown = sources.find((source) => !knownIds().includes(source))
  if (unknown !== undefined) throw new UsageError(`there is no source "${unknown}"`, suggestion(unknown, knownIds()))
  const run = await latest(await openStore(workspace, aws), aws, { sources, except })
  context.talk.info(`latest is run ${run.id}`)
  return run
}

/** Makes a run the latest of its workspace and of its source. */
export const touchRun = async (run: Run, aws: AwsSettings): Promise<void> =>
  noteNamed(await openStore(run.workspace, aws), run)

/** The run with this id, or the latest one for `latest`. @throws UserError listing the runs */
export async function openRun(workspace: string, idOrLatest: string, aws: AwsSettings = {}): Promise<Run> {
  const root = await openStore(workspace, aws)
  if (idOrLatest === 'latest') return latest(root, aws)
  if (!/^[\w.-]+$/.test(idOrLatest)) throw new UsageError(`--run "${idOrLatest}" is not a run id`)
  const run = await runIn(root, idOrLatest, aws)
  if (run !== undefined) return run
  const ids = await runIds(root)
  if (ids.length === 0) throw noRuns(workspace)
  throw new UserError(`no run ${idOrLatest} in ${workspace}`, { hint: suggestion(idOrLatest, ids), exitCode: 2 })
}

/** The run of a model in S3, named by the model's URI or by its workspace, whose latest run is meant. Undefined if there are no runs. */
export async function runOfModel(model: string, aws: AwsSettings): Promise<Run | undefined> {
  const [, workspace, id] = /^(s3:\/\/.+?)\/runs\/([\w.-]+)(?:\/.*)?$/.exec(model) ?? []
  if (workspace !== undefined && id !== undefined) return openRun(workspace, id, aws)
  const root = await openStore(model, aws)
  return (await runIds(root)).length === 0 ? undefined : latest(root, aws)
}

interface Which {
  readonly sources?: readonly string[]
  readonly except?: string | undefined
}

/** The run that was named last; if none of those is left, the run with the youngest ledger. */
async function latest(root: Store, aws: AwsSettings, { sources = [], except }: Which = {}): Promise<Run> {
  const named = await namedRuns(root, sources)
  for (const id of named) {
    const run = id === except ? undefined : await runIn(root, id, aws)
    if (run !== undefined) return run
  }
  const others = (await runIds(root)).filter((id) => id !== except && !named.includes(id))
  const runs = await pMap(others, (id) => runIn(root, id, aws), { concurrency: 16 })
  const newest = runs
    .filter((run) => run !== undefined && (sources.length === 0 || sources.includes(run.request.source)))
    .sort((a, b) => ((a?.ledger.touchedAt ?? '') < (b?.ledger.touchedAt ?? '') ? 1 : -1))[0]
  if (newest !== undefined) return newest
  const of = sources.length === 0 ? '' : ` of ${sources.join(' or ')}`
  throw noRuns(root.uri, except === undefined ? `run${of}` : `other run${of}`)
}

const noRuns = (workspace: string, what = 'run'): UserError =>
  new UserError(`there is no ${what} in ${workspace}`, { hint: 'npx zx scripts/stage.mjs --help', exitCode: 2 })

async function runIn(root: Store, id: string, aws: AwsSettings): Promise<Run | undefined> {
  const store = runStore(root, id)
  const ledger = await readLedger(store)
  return ledger === undefined ? undefined : new Run(store, ledger, runHostOf(aws))
}

async function runIds(root: Store): Promise<string[]> {
  const prefixes = await root.prefixes({ prefix: RUNS })
  return prefixes.map((prefix) => prefix.slice(RUNS.length, -1))
}

/** A folder that is named as runIdOf names a run. */
const RUN = /(?:^|\/)[a-z][a-z0-9_]*(?:-\d{8}T\d{4}(?:\d{2})?Z){2}-[0-9a-f]{6}\//

/** The note of a workspace that says which run of a source is the latest. */
const NOTE = new RegExp(`(?:^|/)${LATEST}([a-z][a-z0-9_]*)\\.json$`)

/** Whether a key belongs to runs, or is the beginning of such keys: prestage wrote what lies there. */
export function isOfRun(key: string): boolean {
  if (RUN.test(key)) return true
  const source = NOTE.exec(key)?.[1]
  return source !== undefined && [...knownIds(), FILES].includes(source)
}

/**
 * Opens logs without the copies that runs have of them: a workspace may lie among the logs, and an event must not count again for
 * every run that has staged it. A place within a run can still be named.
 */
export async function openLogsOutsideRuns(uri: string, aws: AwsSettings = {}): Promise<Logs> {
  const logs = await openLogs(uri, aws)
  return { ...logs, store: outsideRuns(logs.store, logs.base) }
}

/** The same store, with listings from the base on without runs. Below a branch of logs there are none: such listings stay as they are. */
function outsideRuns(store: Store, base: string): Store {
  const isSeen = (key: string) => !isOfRun(key.slice(base.length))
  async function* seen(options: Parameters<Store['list']>[0]) {
    for await (const object of store.list(options)) if (isSeen(object.key)) yield object
  }
  const sifted: Pick<Store, 'list' | 'prefixes'> = {
    list: (options = {}) => ((options.prefix ?? '') === base ? seen(options) : store.list(options)),
    prefixes: async (options) => (await store.prefixes(options)).filter(isSeen),
  }
  return Object.assign(Object.create(store) as Store, sifted)
}
