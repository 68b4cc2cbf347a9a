import { bytes, count, plural, quoted, table } from '../lib/cli/format.ts'
import { DAY_MS } from '../lib/runs/window.ts'
import { sourceOf } from '../lib/sources/registry.ts'
import { settlingOf } from '../lib/sources/source.ts'
import type { BranchDays } from './days.ts'
import type { LooseFound, LooseSurvey } from './loose.ts'
import type { Found, Other } from './survey.ts'

/** One line per source and account. */
export function surveyText(found: readonly Found[], others: readonly Other[]): string {
  const rows = found.flatMap((one) => accountRows(one))
  const parts = rows.length === 0 ? [] : [table([['source', 'account', 'regions', 'first day', 'last day'], ...rows])]
  if (found.some(({ digests }) => digests))
    parts.push('CloudTrail digests index these logs: stage --keys digest selects by them')
  if (others.length > 0)
    parts.push(
      `not read by prestage:\n${table(
        others.map(({ name, about, accounts }) => [
          name,
          about,
          accounts.length === 1 ? `account ${accounts[0]}` : `${count(accounts.length)} accounts`,
        ]),
        '  ',
      )}`,
    )
  return parts.join('\n\n')
}

function accountRows({ source, layout, branches }: Found): string[][] {
  const byAccount = new Map<string, BranchDays[]>()
  for (const branch of branches) {
    const account = branch.variables.account ?? `in ${branch.path || '.'} (${layout})`
    byAccount.set(account, [...(byAccount.get(account) ?? []), branch])
  }
  return [...byAccount].map(([account, own]) => [
    source,
    account,
    places(own),
    own.map(({ first }) => first).sort()[0] ?? '',
    own
      .map(({ last }) => last)
      .sort()
      .at(-1) ?? '',
  ])
}

const SHOWN = 4

/** Regions, with the web ACLs in each where there are any. */
function places(branches: readonly BranchDays[]): string {
  const names = new Set(
    branches.map(({ variables: { region = '–', acl } }) => (acl === undefined ? region : `${region}:${acl}`)),
  )
  const [shown, rest] = [[...names].slice(0, SHOWN), names.size - SHOWN]
  return rest > 0 ? `${shown.join(', ')}, ${rest} more` : shown.join(', ')
}

/** What was recognized by names alone. */
export const looseText = (found: readonly LooseFound[], unknown: LooseSurvey['unknown']): string =>
  [
    'no AWSLogs/ folders; by the names of the objects:',
    table([
      ['source', 'objects', 'size', 'accounts', 'regions', 'first day', 'last day'],
      ...found.map((one) => [
        one.source,
        count(one.objects),
        bytes(one.bytes),
        one.accounts.join(', '),
        one.regions.join(', '),
        one.first,
        one.last,
      ]),
    ]),
    ...(unknown.objects === 0
      ? []
      : [
          `${plural(unknown.objects, 'other')}, for example ${unknown.examples.map((key) => JSON.stringify(key)).join(', ')}`,
        ]),
  ].join('\n')

/** In so many days a principal has enough accesses to learn from. */
const DAYS = 10

/**
 * The command that stages the last days before the newest one, which AWS still writes into, or which holds only late files. All their
 * logs have been delivered by now. @returns undefined when there are no such days
 */
export function stageCommand(
  found: { source: string; first: string; last: string },
  logs: string,
  now: Date,
): string | undefined {
  const [first, last] = [Date.parse(found.first), Date.parse(found.last)]
  const delivered = now.getTime() - settlingOf(sourceOf(found.source))
  const end = Math.min(first < last ? last : last + DAY_MS, delivered - (delivered % DAY_MS))
  if (end <= first) return undefined
  const [from, to] = [Math.max(first, end - DAYS * DAY_MS), end].map((time) =>
    new Date(time).toISOString().slice(0, 10),
  )
  return `npx zx scripts/stage.mjs --source ${found.source} --logs ${quoted(logs)} --from ${from} --to ${to}`
}
