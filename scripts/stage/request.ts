import { UsageError } from '../cli/errors.ts'
import type { Request } from '../runs/request.ts'
import { windowOf } from '../runs/window.ts'
import { sourceOf } from '../sources/registry.ts'
import type { AwsSettings } from '../stores/open.ts'
import { type Logs, openLogs } from '../stores/open.ts'
import type { Scope } from './keys/key-source.ts'

/** What a user says about the data that is wanted. */
export interface Wish {
  readonly source: string | undefined
  readonly logs: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly last?: string | undefined
  readonly account: readonly string[]
  readonly region: readonly string[]
}

export interface Task {
  readonly request: Request
  readonly scope: Scope
  readonly logs: Logs
}

/** Turns what was asked into a request and opens the logs. @throws UsageError for what is missing or makes no sense */
export async function taskOf(wish: Wish, now: Date, aws: AwsSettings): Promise<Task> {
  if (wish.source === undefined) throw new UsageError('no source', 'add --source cloudtrail or --source waf')
  if (wish.logs === undefined)
    throw new UsageError(
      'no logs',
      'add --logs FOLDER or --logs s3://bucket; npx zx scripts/simulate.mjs makes some to try',
    )
  const window = windowOf(wish, now)
  const logs = await openLogs(wish.logs, aws)
  const [accounts, regions] = [unique(wish.account), unique(wish.region)]
  return {
    logs,
    scope: { source: sourceOf(wish.source), window, accounts, regions },
    request: {
      source: wish.source,
      logs: logs.uri,
      from: window.from.toISOString(),
      to: window.to.toISOString(),
      accounts,
      regions,
      keys: 'list',
    },
  }
}

const unique = (values: readonly string[]): string[] => [...new Set(values)].sort()
