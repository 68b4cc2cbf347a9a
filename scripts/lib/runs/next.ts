import { resolve } from 'node:path'
import { quoted } from '../cli/format.ts'
import { kebab, type OptionSpecs } from '../cli/options.ts'
import { commonOptions, guardOptions } from '../cli/shared-options.ts'
import type { Ledger } from './ledger.ts'
import { OF_FILES, type Request } from './request.ts'

interface Named {
  readonly id: string
  readonly uri: string
  readonly request: Request
  readonly ledger?: Ledger
}

/** The command line that takes a run's next step; names the workspace where it is not the default. `score/<id>` judges that other run. */
export function nextCommand(name: string, run: Named): string {
  const [step = name, judged] = name.split('/')
  const workspace = run.uri.replace(/\/runs\/[^/]+$/, '')
  if (run.request.keys === OF_FILES && /^(stage|extract)$/.test(step))
    return `npx zx scripts/train.mjs --pairs FILE --model ${quoted(workspace)}`
  const other = judged === undefined ? [] : ['--from-run', judged]
  const selection =
    step === 'stage'
      ? [...flagsOf(run.request), ...(run.ledger?.steps.stage?.checkpoint.options ?? [])]
      : ['--run', run.id, ...other]
  const where = workspace === resolve('workspace') ? [] : ['--workspace', workspace]
  return [`npx zx scripts/${step}.mjs`, ...[...selection, ...where].map(quoted)].join(' ')
}

/** Staging finds its run by the request. */
function flagsOf({ source, logs, from, to, accounts, regions, keys, keysFrom }: Request): string[] {
  const by = ['--keys', keys]
  const how = {
    list: [],
    inventory: [...by, '--inventory', keysFrom ?? ''],
    file: ['--keys-file', (keysFrom ?? '').replace(/#[^#]*$/, '')],
  }[keys]
  const scope = [...accounts.flatMap((id) => ['--account', id]), ...regions.flatMap((region) => ['--region', region])]
  const window = flagsOfWindow(from, to)
  return ['--source', source, '--logs', logs, '--from', window.from, '--to', window.to, ...scope, ...(how ?? by)]
}

/** The options of a window, which mean the same on any day. @param from ISO @param to ISO */
export function flagsOfWindow(from: string, to: string) {
  const short = (time: string): string => time.replace('.000Z', 'Z')
  return { from: short(from), to: short(to), last: undefined }
}

/** Options that a repeated command line leaves out: output and approval. */
const NOT_REPEATED: readonly string[] = [...Object.keys(commonOptions), ...Object.keys(guardOptions)]

/** A command line with these values of its options, without those that have their default. */
export function sameCommand(
  { name, options }: { readonly name: string; readonly options: OptionSpecs },
  values: Readonly<Record<string, unknown>>,
): string {
  const words = Object.entries(options).flatMap(([key, { kind, fallback }]) => {
    const value = values[key]
    if (NOT_REPEATED.includes(key) || value === undefined || value === fallback) return []
    const flag = `--${kebab(key)}`
    if (kind === 'flag') return value === true ? [flag] : [`${flag}=false`]
    return [value].flat().flatMap((one) => [flag, quoted(String(one))])
  })
  return [`npx zx scripts/${name}.mjs`, ...words].join(' ')
}
