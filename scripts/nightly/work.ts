import { awsOf } from '../lib/aws/settings.ts'
import type { Context } from '../lib/cli/command.ts'
import type { Run } from '../lib/runs/run.ts'
import { openRun } from '../lib/runs/workspace.ts'
import type { AwsSettings } from '../lib/stores/open.ts'
import type { Store } from '../lib/stores/store.ts'
import type { NightlyOptions } from './options.ts'

/** What the nights of one source work with. */
export interface Work {
  readonly context: Context
  readonly options: NightlyOptions
  readonly source: string
  /** The workspace. */
  readonly root: Store
  readonly aws: AwsSettings
}

/** A run of the workspace, with its ledger as it is now. */
export const runOfNight = ({ options, context }: Pick<Work, 'options' | 'context'>, id: string): Promise<Run> =>
  openRun(options.workspace, id, awsOf(options, context))

export const isInAws = ({ root }: Pick<Work, 'root'>): boolean => root.localPath === undefined
