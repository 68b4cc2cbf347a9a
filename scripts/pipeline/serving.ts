import type { CommandResult } from '../lib/cli/command.ts'
import type { Context } from '../lib/cli/context.ts'
import { openRun } from '../lib/runs/workspace.ts'

/** Serves the run's model while `work` uses it, on a port of its own, and not a moment longer. */
export async function serving(
  context: Context,
  given: { readonly workspace: string; readonly run: string },
  work: (endpoint: string, deployed: CommandResult) => Promise<void>,
): Promise<void> {
  const { serveRun } = await import('../deploy/local/endpoint.ts')
  const run = await openRun(given.workspace, given.run)
  const endpoint = await serveRun(run, { port: 0, onError: (text) => context.talk.warn(`endpoint: ${text}`) })
  context.talk.info(`deploy: serving at ${endpoint.url} while it scores`)
  try {
    await work(endpoint.url, {
      json: { run: run.id, endpoint: endpoint.url, status: 'InService' },
      text: `serving at ${endpoint.url}`,
    })
  } finally {
    await endpoint.close()
  }
}
