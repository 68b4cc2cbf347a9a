import { printable, table } from '../../lib/cli/format.ts'
import type { Comparison } from './beliefs.ts'

/** What must not leave the account: longest first, so that no part of one stays. */
interface Secrets {
  readonly account: string
  readonly bucket: string
}

const LONGEST = 240

/** A text without account ids, names of buckets and people, and keys. */
export function masked(text: string, { account, bucket }: Secrets): string {
  const plain = text
    .replaceAll(bucket, 'BUCKET')
    .replace(/\bkey\/[0-9a-f-]{36}\b/g, 'key/KEY')
    .replaceAll(account, 'ACCOUNT')
    .replace(/\b\d{12}\b/g, 'ACCOUNT')
    .replace(/\b(user|assumed-role|federated-user)\/[^\s"']+/g, '$1/WHO')
    .replace(/\b(AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}\b/g, 'KEY')
    .replace(/\b[\w.+-]+@[\w-]+\.[\w.-]+\b/g, 'WHO')
    .replace(/\s+/g, ' ')
  return printable(plain.length > LONGEST ? `${plain.slice(0, LONGEST)}…` : plain)
}

const HEAD = ['belief', 'seen', 'as believed'] as const

const answerOf = ({ as }: Comparison): string => ({ believed: 'yes', 'not believed': 'NO', 'not seen': 'not seen' })[as]

/** For people; the names lead to test/sandbox/beliefs.md. */
export const comparisonsText = (comparisons: readonly Comparison[]): string =>
  table([HEAD, ...comparisons.map((one) => [`${one.id}: ${one.belief}`, one.seen, answerOf(one)])])

interface About {
  readonly version: string
  readonly region: string
  readonly time: Date
}

/** A page for an issue of this project. */
export function comparisonsPage(comparisons: readonly Comparison[], { version, region, time }: About): string {
  const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
  const row = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`
  return `${[
    '# What AWS did, beside what prestage believes of it',
    '',
    `prestage ${version}, ${region}, ${time.toISOString().slice(0, 10)}. The names are those of test/sandbox/beliefs.md.`,
    '',
    row(HEAD),
    row(HEAD.map(() => '---')),
    ...comparisons.map((one) => row([`\`${one.id}\`: ${one.belief}`, one.seen, answerOf(one)])),
  ].join('\n')}\n`
}
