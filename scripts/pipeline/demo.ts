import { resolve } from 'node:path'
import type { Context } from '../cli/context.ts'
import { take } from './steps.ts'

/** Where the demo keeps its logs and its runs, unless told otherwise. */
export const DEMO_FOLDER = 'prestage-demo'

/** The demo has about forty attacks a day, more than one would look at in earnest. */
export const DEMO_ALERTS = 50

/** Simulates logs to try everything on. Returns the pipeline's inputs: where they lie, their window, and the labels. */
export async function simulateLogs(context: Context) {
  const { command } = await import('../simulate/command.ts')
  const outcome = await take(command, context, { logs: resolve(DEMO_FOLDER, 'logs') })
  const said = (field: string): string => String(outcome.json[field])
  const workspace = resolve(DEMO_FOLDER, 'workspace')
  return {
    outcome,
    inputs: { logs: said('logs'), from: said('from'), to: said('to'), labels: said('labels'), workspace },
  }
}
