import { UsageError } from '../../lib/cli/errors.ts'
import { list, number, parsed, text, type Values } from '../../lib/cli/options.ts'
import { type Format, formats } from './files.ts'

const HOUR = 3_600_000

export const findingsOptions = {
  findings: list({
    about: 'also write alerts: asff (AWS Security Hub), ocsf (Security Lake and others), csv',
    value: 'FORMAT',
    parse: formatIn,
  }),
  findingsAccount: text({
    about: 'account that imports the findings (default: the only account of the run)',
    value: 'ID',
  }),
  findingsRegion: text({
    about: 'region that imports the findings (default: the only region of the run)',
    value: 'REGION',
  }),
  findingsPeriod: parsed({
    about: 'one alert per entity and /24 in this time: 1h to 30d',
    value: 'SPAN',
    parse: periodOf,
    default: 24 * HOUR,
    defaultText: '1d',
  }),
  findingsCap: number({ about: 'most alerts per day (default: --alerts-per-day)', min: 1, integer: true }),
}

type FindingsOptions = Values<typeof findingsOptions>

/** What to write; checked before anything is scored. */
export interface Wanted {
  readonly formats: readonly Format[]
  readonly account?: string
  readonly region?: string
  readonly period: number
  readonly cap: number
}

/**
 * Undefined when no findings are wanted.
 * @param scope accounts and regions whose logs are judged
 * @throws UsageError when the account or region of Security Hub is unknown
 */
export function wantedFindings(
  { accounts, regions }: Readonly<Record<'accounts' | 'regions', readonly string[]>>,
  options: FindingsOptions & { alertsPerDay: number },
): Wanted | undefined {
  const account = accountIn(options.findingsAccount) ?? (accounts.length === 1 ? accounts[0] : undefined)
  const region = regionIn(options.findingsRegion) ?? (regions.length === 1 ? regions[0] : undefined)
  const wanted = [...new Set(options.findings)] as Format[]
  if (wanted.length === 0) return undefined
  if (wanted.includes('asff') && (account === undefined || region === undefined))
    throw new UsageError(
      '--findings asff: the logs that were asked for do not tell whose Security Hub is meant',
      'name it: --findings-account 111122223333 --findings-region us-east-1',
    )
  return {
    formats: wanted,
    ...(account !== undefined && { account }),
    ...(region !== undefined && { region }),
    period: options.findingsPeriod,
    cap: options.findingsCap ?? Math.max(1, Math.ceil(options.alertsPerDay)),
  }
}

function formatIn(input: string): string {
  if (!formats.some((format) => format === input)) throw new Error(`must be one of ${formats.join(', ')}`)
  return input
}

function periodOf(input: string): number {
  const match = /^(\d{1,3})(h|d)$/.exec(input)
  const period = match === null ? 0 : Number(match[1]) * (match[2] === 'h' ? HOUR : 24 * HOUR)
  if (period < HOUR || period > 30 * 24 * HOUR) throw new Error('must be a span from 1h to 30d, for example 12h')
  return period
}

function accountIn(input: string | undefined): string | undefined {
  if (input === undefined || /^\d{12}$/.test(input)) return input
  throw new UsageError('--findings-account must be 12 digits (leading zeros included)')
}

function regionIn(input: string | undefined): string | undefined {
  if (input === undefined || /^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/.test(input)) return input
  throw new UsageError('--findings-region must be a region such as us-east-1')
}
