import type { Context } from '../../cli/context.ts'
import { UserError } from '../../cli/errors.ts'
import type { CostItem } from '../../runs/cost.ts'
import { paths } from '../../runs/paths.ts'
import type { Run } from '../../runs/run.ts'
import type { Store } from '../../stores/store.ts'
import type { Planned } from '../planned.ts'
import type { Task } from '../request.ts'
import type { Copier } from './copier.ts'
import { type FileStore, localCopier } from './local.ts'

/** A copier that was chosen, with what it will cost, before there is a run to copy into. */
export interface Choice {
  readonly about: string
  readonly costs: readonly CostItem[]
  open(run: Run): Copier
}

/** The way of copying that fits where the logs and the workspace lie. */
export async function copierOf(
  task: Task,
  workspace: Store,
  _planned: Planned,
  settings: { concurrency: number },
  context: Context,
): Promise<Choice> {
  const from = task.logs.store
  if (isFiles(from) && isFiles(workspace))
    return {
      about: 'hard links, copies where the file system has none',
      costs: [],
      open: (run) =>
        localCopier(from, run.store.within(paths.staged) as FileStore, settings.concurrency, context.signal),
    }
  throw new UserError(`from ${from.uri} to ${workspace.uri}: copying with AWS is not supported yet`, {
    hint: 'name folders for --logs and --workspace',
  })
}

const isFiles = (store: Store): store is FileStore => store.localPath !== undefined
