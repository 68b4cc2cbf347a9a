import type { Stack } from '../../lib/aws/cloudformation/stack.ts'
import { UsageError } from '../../lib/cli/errors.ts'
import { choice, choices, list, number, parsed, type Values } from '../../lib/cli/options.ts'
import { knownIds } from '../../lib/sources/registry.ts'

/** Of `setup --nightly`: when, whom it tells, and options that go to `nightly.mjs` as they are. */
export const nightlyOptions = {
  nightly: parsed({
    about:
      'run nightly.mjs at this time every day, UTC, by a second stack, without a server of yours; off takes that away. Given again it changes what is named, and puts this version in place',
    value: 'HH:MM|off',
    parse: timeOfNight,
  }),
  source: choices(knownIds, { about: 'with --nightly: sources that are judged', value: 'NAME' }),
  notify: parsed({
    about: 'with --nightly: address that failures and alerts are sent to, once it has agreed; none takes it back',
    value: 'EMAIL',
    parse: emailAddress,
  }),
  alertsPerDay: number({ about: 'with --nightly: alert budget per day', min: 0 }),
  findings: list({
    about: 'with --nightly: also write alerts: asff (AWS Security Hub), ocsf, csv',
    value: 'FORMAT',
    parse: plainWord,
  }),
  securityHub: choice(['on', 'off'], {
    about:
      'with --nightly: whether a night imports its findings into AWS Security Hub, and writes them as asff for that',
  }),
  retrain: parsed({
    about: 'with --nightly: train anew after this time, for example 7d',
    value: 'SPAN',
    parse: plainWord,
  }),
  history: parsed({ about: 'with --nightly: train on this much, for example 10d', value: 'SPAN', parse: plainWord }),
  allow: list({ about: 'with --nightly: networks that are never flagged', value: 'CIDR' }),
}

export type NightlyOptions = Values<typeof nightlyOptions> & { readonly maxCost: number | undefined }

/** @throws UsageError for what can only be meant for the nights; source, budget and networks may stand in a configuration file */
export function checkNightly(
  chosen: Pick<NightlyOptions, 'nightly' | 'notify' | 'findings' | 'securityHub' | 'retrain' | 'history'>,
): void {
  const { nightly, notify, findings, securityHub, retrain, history } = chosen
  if (nightly !== undefined && nightly !== 'off') return
  const given = { notify, findings: findings[0], 'security-hub': securityHub, retrain, history }
  const [stray] = Object.entries(given).find(([, value]) => value !== undefined) ?? []
  if (stray !== undefined)
    throw new UsageError(
      `--${stray} belongs to --nightly`,
      'npx zx scripts/setup.mjs --nightly 02:30 --source cloudtrail',
    )
}

/** A time of day, or that there are to be no nights. */
export type TimeOfNight = 'off' | { readonly hour: number; readonly minute: number }

function timeOfNight(input: string): TimeOfNight {
  if (input === 'off') return input
  const [, hour, minute] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(input) ?? []
  if (hour === undefined || minute === undefined) throw new Error('must be a time such as 02:30, or off')
  return { hour: Number(hour), minute: Number(minute) }
}

function emailAddress(input: string): string {
  if (!/^(none|[^\s@,<>"]+@[^\s@,<>"]+\.[^\s@,<>"]+)$/.test(input)) throw new Error('must be an address, or none')
  return input
}

/** What can stand in a command line as it is. */
function plainWord(input: string): string {
  if (!/^[A-Za-z0-9.:/_-]+$/.test(input)) throw new Error('must be letters, digits and . : / _ -')
  return input
}

/** Where Security Hub is that takes the findings: the stack's own; and whether it is to take them. */
export interface FindingsPlace {
  readonly account: string
  readonly region: string
  readonly isImported: boolean
}

/**
 * The options of `nightly.mjs`, as they are typed: what is named now, and the rest as it was. Where no cost bounds a night, it is agreed to.
 * @param before options of the nights that there are already
 * @throws UsageError for networks in a file
 */
export function nightOptions(chosen: NightlyOptions, before = '', place: FindingsPlace): string {
  const { source, alertsPerDay, findings, retrain, history, allow, maxCost } = chosen
  // A configuration file may name one for other commands: only here it is none.
  const file = allow.find((network) => !/^[\d./]+$/.test(network))
  if (file !== undefined)
    throw new UsageError(`--allow ${file}: a night in AWS has no files of yours`, 'name the networks: 203.0.113.0/24')
  const named = { source, 'alerts-per-day': alertsPerDay, findings, retrain, history, allow, 'max-cost': maxCost }
  const options = new Map(optionsIn(before))
  for (const [name, value] of Object.entries(named)) {
    const text = [value ?? ''].flat().join()
    if (text !== '') options.set(name, text)
  }
  const formats = new Set(options.get('findings')?.split(','))
  if (place.isImported) options.set('findings', [...formats.add('asff')].join())
  const hub = formats.has('asff') ? { 'findings-account': place.account, 'findings-region': place.region } : {}
  const all = [...options, ...Object.entries(hub)].map(([name, value]) => `--${name} ${value}`)
  return [...all, ...(options.has('max-cost') ? [] : ['--yes'])].join(' ')
}

/** Parameters of the nightly template that say what nights do. @throws UsageError without a source */
export function whatNightsDo(chosen: NightlyOptions, { id }: Stack, existing: Stack | undefined) {
  const { securityHub } = chosen
  const [, , , region = '', account = ''] = id.split(':')
  const SecurityHub = securityHub === undefined ? existing?.parameters.SecurityHub : String(securityHub === 'on')
  const place = { account, region, isImported: SecurityHub === 'true' }
  const Options = nightOptions(chosen, existing?.parameters.Options, place)
  if (sourcesOf(Options).length === 0)
    throw new UsageError('no source', 'add --source cloudtrail, or --source cloudtrail,waf: what is judged every night')
  return { Options, ...(SecurityHub !== undefined && { SecurityHub }) }
}

/** Sources that are judged, of the options of a night. */
export const sourcesOf = (options = ''): string[] => /--source (\S+)/.exec(options)?.[1]?.split(',') ?? []

/** `--a b --yes --c d`, as a map of those that a user named. */
const optionsIn = (options: string): [string, string][] =>
  [...options.matchAll(/--(?!findings-(?:account|region) )([a-z-]+) (?!--)(\S+)/g)].map(([, name = '', value = '']) => [
    name,
    value,
  ])
