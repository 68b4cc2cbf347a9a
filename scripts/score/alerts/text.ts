import { count, shortened, spelledOut, table } from '../../lib/cli/format.ts'
import { type Alert, callText, type Details, valuesOf } from '../../lib/runs/alerts.ts'
import { providerBefore, providerText } from '../../lib/runs/providers/provider.ts'

/** Alerts that a summary shows. */
export const SHOWN = 10

/** Names in IAM have 64 characters at most; an account follows. */
const WHO_BYTES = 84
/** What a cell shows of what was done. */
const CALLS = 3
const NETWORK_BYTES = 48
const CALL_BYTES = 96

/** The first alerts as a table for the terminal; undefined when there are none. */
export function alertTable(alerts: readonly Alert[]): string | undefined {
  const first = alerts.slice(0, SHOWN)
  if (first.length === 0) return undefined
  const isKnown = first.some(({ details }) => details !== undefined)
  const isLocated = first.some(({ provider }) => provider !== undefined)
  const rows = first.map((alert) => [
    ...(isKnown ? [timeText(alert.details)] : []),
    shortened(whoText(alert), WHO_BYTES),
    alert.ip,
    ...(isLocated ? [shortened(providerText(alert.provider), NETWORK_BYTES)] : []),
    whyText(alert),
    ...(isKnown ? [shortened(calls(alert.details).slice(0, CALLS).join(', '), CALL_BYTES)] : []),
  ])
  const header = ['who', 'address', ...(isLocated ? ['network'] : []), 'does not fit because']
  return table([isKnown ? ['first at, UTC', ...header, 'did'] : header, ...rows])
}

const timeText = (details: Details | undefined): string =>
  details === undefined ? '' : details.first.slice(0, 16).replace('T', ' ')

/** By name where the logs have one that the entity does not say itself. */
export function whoText({ entity, details }: Pick<Alert, 'entity' | 'details'>): string {
  const [name] = valuesOf(details, 'name')
  const [arn = ''] = valuesOf(details, 'arn')
  const [account] = valuesOf(details, 'account')
  const who = spelledOut(name ?? (arn.endsWith(':root') ? 'root' : entity))
  return account === undefined || account === who ? who : `${who} in ${spelledOut(account)}`
}

/** Where the entity usually comes from, else the weightiest reason. */
function whyText({ reasons, usual, provider }: Alert): string {
  const places = usual.slice(0, 2).map(({ network, share }) => ({ network, share }))
  const why = places.length > 0 ? `usually from ${usualText(places)}` : (reasons[0] ?? '')
  return provider?.before === 0 ? `${why}; ${providerBefore(provider)}` : why
}

export const usualText = (usual: Alert['usual']): string =>
  usual
    .map(({ network, share, provider }) =>
      [network, `${Math.round(share * 100)} %`, providerText(provider)].filter(Boolean).join(' '),
    )
    .join('; ')

/** The most frequent values of every aspect, each with its number, printable. */
export const aspectTexts = (details: Details | undefined): [aspect: string, texts: string[]][] =>
  Object.entries(details?.aspects ?? {}).map(([aspect, values]) => [
    aspect,
    values.map(({ value, events }) => `${spelledOut(value)} (${count(events)})`),
  ])

/** The call that was made most, of CloudTrail; what AWS calls it is printable. */
export function mostCalled(details: Details | undefined): { service: string; operation: string } | undefined {
  const [call] = valuesOf(details, 'call')
  if (call === undefined) return undefined
  const [service = '', operation = ''] = spelledOut(call).split(/:(.*)/s)
  return service.trim() === '' || operation.trim() === '' ? undefined : { service, operation }
}

/** What was called, or for WAF requested, most frequent first, each with its number. */
export function calls(details: Details | undefined): string[] {
  const counted = details?.aspects.call ?? details?.aspects.request ?? []
  return counted.map(({ value, events }) => `${spelledOut(callText(value))} ${count(events)}`)
}
