import { resolve } from 'node:path'
import * as v from 'valibot'
import type { CommandResult, Context } from '../lib/cli/command.ts'
import { UsageError } from '../lib/cli/errors.ts'
import { fitted } from '../lib/cli/shapes.ts'
import { take } from '../lib/cli/take.ts'
import { sources } from '../lib/sources/registry.ts'

/** Where the demo keeps its logs and its runs by default. */
export const DEMO_FOLDER = 'prestage-demo'

/** The demo has about forty attacks per day, more than anybody would look at. */
export const DEMO_ALERTS = 50

/** @throws UsageError when other logs are named */
export function checkDemo(
  given: Readonly<Record<'logs' | 'from' | 'to' | 'last' | 'labels', string | undefined>>,
): void {
  if ([given.logs, given.from, given.to, given.last, given.labels].every((value) => value === undefined)) return
  throw new UsageError(
    '--demo brings its own logs, window and labels',
    'leave --logs, --labels and the window out (of prestage.yaml and PRESTAGE_… variables, too), or leave --demo out',
  )
}

/** The logs that every demo of these two shares. */
const USUAL = ['cloudtrail', 'waf']

/**
 * Which logs are simulated, and in which folder: a simulation cannot be extended by a source.
 * @throws UsageError for a source of prestage.yaml
 */
function logsOf(ids: readonly string[]): { source: readonly string[]; logs: string } {
  const own = ids.find((id) => !Object.hasOwn(sources, id))
  if (own !== undefined)
    throw new UsageError(`--demo cannot simulate logs of ${own}`, `choose from ${Object.keys(sources).join(', ')}`)
  const isUsual = ids.every((id) => USUAL.includes(id))
  if (isUsual) return { source: USUAL, logs: resolve(DEMO_FOLDER, 'logs') }
  return { source: ids, logs: resolve(DEMO_FOLDER, `logs-${ids.join('-')}`) }
}

/** Where runs go. The demo stays on this machine, and leaves a workspace in S3 alone. */
const placeOf = (workspace: string): string =>
  workspace.startsWith('s3://') || workspace === resolve('workspace') ? resolve(DEMO_FOLDER, 'workspace') : workspace

/** What a demo would do. */
export function renderDemoPlan(named: string, ids: readonly string[]): CommandResult {
  const [{ logs }, workspace] = [logsOf(ids), placeOf(named)]
  return {
    json: { dryRun: true, logs, workspace },
    text: `would simulate logs in ${logs} and take them through all steps, in ${workspace}`,
  }
}

/** What the pipeline reads of a simulation's result. */
const simulatedSchema = v.object({ logs: v.string(), from: v.string(), to: v.string(), labels: v.string() })

/** Simulates logs. @returns with the result, the pipeline's inputs: logs, window, labels and workspace */
export async function simulateLogs(context: Context, named: string, ids: readonly string[]) {
  const { command } = await import('../simulate/command.ts')
  const workspace = placeOf(named)
  if (named.startsWith('s3://')) context.talk.info(`the demo stays on this machine, in ${workspace}`)
  const result = await take(command, context, logsOf(ids))
  const { logs: folder, from, to, labels } = fitted(simulatedSchema, result.json)
  return {
    result,
    inputs: { logs: folder, from, to, labels, workspace },
  }
}
