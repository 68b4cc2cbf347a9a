import pMap from 'p-map'
import { UsageError, UserError } from '../cli/errors.ts'
import { suggestion } from '../cli/nearest.ts'
import { type AwsSettings, openStore } from '../stores/open.ts'
import { ConditionFailed, type Store } from '../stores/store.ts'
import { type Ledger, readLedger, writeLedger } from './ledger.ts'
import { RUNS } from './paths.ts'
import { runStore } from './places.ts'
import { isSameRequest, type Request, runIdOf } from './request.ts'
import { Run } from './run.ts'

/** The run of this request: the one that exists, or a new one. @param id another one than that of a window */
export async function createRun(
  workspace: string,
  request: Request,
  aws: AwsSettings = {},
  id = runIdOf(request),
): Promise<Run> {
  const store = runStore(await openStore(workspace, aws), id)
  const existing = await readLedger(store)
  if (existing !== undefined) return runOf(store, existing, request)
  const now = new Date().toISOString()
  const ledger: Ledger = { version: 1, id, createdAt: now, touchedAt: now, request, steps: {} }
  try {
    await writeLedger(store, ledger, { ifAbsent: true })
    return new Run(store, ledger)
  } catch (error) {
    // Another process was first; its ledger may hold steps already.
    const theirs = error instanceof ConditionFailed ? await readLedger(store) : undefined
    if (theirs === undefined) throw error
    return runOf(store, theirs, request)
  }
}

function runOf(store: Store, ledger: Ledger, request: Request): Run {
  if (isSameRequest(ledger.request, request)) return new Run(store, ledger)
  throw new UserError(`run ${ledger.id} exists, and was made for something else: ${JSON.stringify(ledger.request)}`, {
    hint: `name another --workspace, or move ${store.uri} away`,
  })
}

/** The run of this request if it exists already. */
export async function findRun(
  workspace: string,
  request: Request,
  aws: AwsSettings = {},
  id = runIdOf(request),
): Promise<Run | undefined> {
  const store = runStore(await openStore(workspace, aws), id)
  const ledger = await readLedger(store)
  return ledger === undefined ? undefined : runOf(store, ledger, request)
}

/** The run with this id, or the one that was worked on last for `latest`. @throws UserError that lists what there is */
export async function openRun(workspace: string, idOrLatest: string, aws: AwsSettings = {}): Promise<Run> {
  const root = await openStore(workspace, aws)
  if (idOrLatest === 'latest') return latest(root, workspace)
  if (!/^[\w.-]+$/.test(idOrLatest)) throw new UsageError(`--run "${idOrLatest}" is not a run id`)
  const store = runStore(root, idOrLatest)
  const ledger = await readLedger(store)
  if (ledger !== undefined) return new Run(store, ledger)
  const ids = await runIds(root)
  if (ids.length === 0) throw noRuns(workspace)
  throw new UserError(`no run ${idOrLatest} in ${workspace}`, { hint: suggestion(idOrLatest, ids), exitCode: 2 })
}

/**
 * The run that a model in S3 belongs to: by the URI of the model, or of the workspace, of which it is the run that was worked on
 * last. Undefined where there are no runs.
 */
export async function runOfModel(model: string, aws: AwsSettings): Promise<Run | undefined> {
  const [, workspace, id] = /^(s3:\/\/.+?)\/runs\/([\w.-]+)(?:\/.*)?$/.exec(model) ?? []
  if (workspace !== undefined && id !== undefined) return openRun(workspace, id, aws)
  const root = await openStore(model, aws)
  return (await runIds(root)).length === 0 ? undefined : latest(root, model)
}

async function latest(root: Store, workspace: string): Promise<Run> {
  const runs = await pMap(
    await runIds(root),
    async (id) => {
      const store = runStore(root, id)
      const ledger = await readLedger(store)
      return ledger === undefined ? undefined : new Run(store, ledger)
    },
    { concurrency: 16 },
  )
  const newest = runs
    .filter((run) => run !== undefined)
    .sort((a, b) => (a.ledger.touchedAt < b.ledger.touchedAt ? 1 : -1))[0]
  if (newest === undefined) throw noRuns(workspace)
  return newest
}

const noRuns = (workspace: string): UserError =>
  new UserError(`there is no run in ${workspace}`, { hint: 'npx zx scripts/stage.mjs --help', exitCode: 2 })

async function runIds(root: Store): Promise<string[]> {
  const prefixes = await root.prefixes({ prefix: RUNS })
  return prefixes.map((prefix) => prefix.slice(RUNS.length, -1))
}
