import { resolve } from 'node:path'
import type { Ledger } from './ledger.ts'
import { OF_FILES, type Request } from './request.ts'

interface Named {
  readonly id: string
  readonly uri: string
  readonly request: Request
  readonly ledger?: Ledger
}

/** The command line that takes a run's next step; names the workspace where it is not the default. */
export function nextCommand(step: string, run: Named): string {
  const workspace = run.uri.replace(/\/runs\/[^/]+$/, '')
  if (run.request.keys === OF_FILES && /^(stage|extract)$/.test(step))
    return `npx zx scripts/train.mjs --pairs FILE --model ${quoted(workspace)}`
  const selection =
    step === 'stage'
      ? [...flagsOf(run.request), ...(run.ledger?.steps.stage?.checkpoint.options ?? [])]
      : ['--run', run.id]
  const where = workspace === resolve('workspace') ? [] : ['--workspace', workspace]
  return [`npx zx scripts/${step}.mjs`, ...[...selection, ...where].map(quoted)].join(' ')
}

/** Staging finds its run by what was asked for. */
function flagsOf({ source, logs, from, to, accounts, regions, keys, keysFrom }: Request): string[] {
  const by = ['--keys', keys]
  const how = {
    list: [],
    inventory: [...by, '--inventory', keysFrom ?? ''],
    file: ['--keys-file', (keysFrom ?? '').replace(/#[^#]*$/, '')],
  }[keys]
  const scope = [...accounts.flatMap((id) => ['--account', id]), ...regions.flatMap((region) => ['--region', region])]
  const [start, end] = [from, to].map((time) => time.replace('.000Z', 'Z'))
  return ['--source', source, '--logs', logs, '--from', start ?? '', '--to', end ?? '', ...scope, ...(how ?? by)]
}

/** A word of a command line, for copying into a shell; nothing here is ever run through one. */
export const quoted = (text: string): string =>
  /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
