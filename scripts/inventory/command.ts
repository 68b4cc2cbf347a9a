import { defineCommand, type Outcome } from '../cli/command.ts'
import type { Context } from '../cli/context.ts'
import { UsageError, UserError } from '../cli/errors.ts'
import { count, plural } from '../cli/format.ts'
import { list, number, type Values } from '../cli/options.ts'
import { awsOptions, scopeOptions } from '../cli/shared-options.ts'
import { sourceIds, sourceOf } from '../sources/registry.ts'
import { type Logs, openLogs } from '../stores/open.ts'
import { placesIn } from '../stores/uri.ts'
import { remembering } from './days.ts'
import { surveyLoose } from './loose.ts'
import { othersOf } from './others.ts'
import { looseText, stageCommand, surveyText } from './render.ts'
import { type Survey, survey, valuesOf } from './survey.ts'

const sourceName = (name: string): string => {
  if (!sourceIds.includes(name)) throw new Error(`must be one of ${sourceIds.join(', ')}`)
  return name
}

const options = {
  ...scopeOptions,
  source: list({
    about: `only these kinds of log (default: ${sourceIds.join(', ')})`,
    value: 'NAME',
    parse: sourceName,
  }),
  concurrency: number({ about: 'requests in flight at once', default: 16, min: 1, max: 256, integer: true }),
  ...awsOptions,
}

export const command = defineCommand({
  name: 'inventory',
  summary: 'show which logs lie where: sources, accounts, regions, days',
  description:
    'Descends the folders that AWS writes (account, region, year, month, day) instead of listing the objects in them, so that it is quick and cheap on a bucket of any size.',
  examples: [
    { run: 'npx zx scripts/inventory.mjs --logs ./logs', does: 'what there is' },
    {
      run: 'npx zx scripts/inventory.mjs --logs ./logs --account 012345678901 --output json',
      does: 'one account, every region and web ACL by itself',
    },
  ],
  options,
  async run(context, values) {
    if (values.logs === undefined) throw new UsageError('no logs', 'add --logs FOLDER or --logs s3://bucket')
    const [place = '', ...more] = placesIn(values.logs)
    if (more.length > 0)
      throw new UsageError(`several logs: ${[place, ...more].join(', ')}`, `name one of them: --logs ${place}`)
    const logs = await openLogs(place, values)
    const lister = remembering(logs.store, logs.base)
    const sources = (values.source.length === 0 ? sourceIds : values.source).map(sourceOf)
    const scope = { accounts: values.account, regions: values.region }
    const search = { base: logs.base, concurrency: values.concurrency, signal: context.signal }
    const result = await survey(logs.store, lister, sources, { ...search, ...scope })
    for (const path of result.skipped)
      context.talk.warn(`too many folders below "${path}" to look for logs in each: name a longer --logs`)
    const others = await othersOf(lister, result.roots, { ...search, ...scope })
    if (result.found.length === 0) {
      const everything = await survey(logs.store, lister, sources, search)
      if (everything.found.length > 0) throw outOfScope(logs, everything, values)
      if (others.length === 0) return await loose(context, logs, values)
    }
    const { listRequests } = logs.store
    const [first] = result.found
    return {
      json: { logs: logs.uri, sources: result.found, others, listRequests },
      text: `${surveyText(result.found, others)}\n\n${plural(listRequests, 'folder')} read`,
      ...(first && { next: stageCommand(first, values.logs) }),
    }
  },
})

type Given = Values<typeof options>

function outOfScope(logs: Logs, { found }: Survey, { account, region }: Given): UserError {
  const branches = found.flatMap((one) => one.branches)
  const wanted = [
    account.length > 0 && `account ${account.join(', ')}`,
    region.length > 0 && `region ${region.join(', ')}`,
  ]
  return new UserError(`${logs.uri} has logs, but none of ${wanted.filter(Boolean).join(' in ')}`, {
    hint: `accounts there: ${some(valuesOf(branches, 'account'))}; regions: ${some(valuesOf(branches, 'region'))}`,
  })
}

const some = (values: readonly string[]): string =>
  values.length <= 8 ? values.join(', ') : `${values.slice(0, 8).join(', ')} and ${values.length - 8} more`

/** Nothing lies where AWS puts it: the names of the objects are looked at. */
async function loose(context: Context, logs: Logs, { source, logs: uri }: Given): Promise<Outcome> {
  const sources = (source.length === 0 ? sourceIds : source).map(sourceOf)
  const { found, objects, unknown, cut } = await surveyLoose(logs.store, sources, logs.base, context.signal)
  const { listRequests } = logs.store
  if (objects === 0)
    throw new UserError(`${logs.uri} is empty`, { hint: 'name the folder or prefix that holds AWSLogs/' })
  if (found.length === 0)
    throw new UserError(
      `${logs.uri} has no logs of ${sources.map(({ id }) => id).join(' or ')}: neither AWSLogs/ nor names such as AWS gives`,
      { hint: `there is, for example, ${unknown.examples.map((key) => JSON.stringify(key)).join(', ')}` },
    )
  if (cut) context.talk.warn(`only the first ${count(objects)} objects were looked at`)
  const [first] = found
  return {
    json: { logs: logs.uri, sources: found, others: [], unknown, listRequests },
    text: looseText(found, unknown),
    ...(first && uri !== undefined && { next: stageCommand(first, uri) }),
  }
}
