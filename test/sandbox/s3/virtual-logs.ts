import { md5 } from '../http.ts'
import { memo } from '../model/shape.ts'
import { compareKeys } from './keys.ts'
import type { Entry } from './stored.ts'
import { childrenOf, VirtualBackend } from './virtual.ts'
import { virtualBytes } from './virtual-events.ts'

export interface VirtualLogs {
  /** Before `AWSLogs/`; ends with a slash unless empty. */
  readonly prefix?: string
  readonly organization?: string
  /** Account ids, or how many. */
  readonly accounts: number | readonly string[]
  readonly regions: readonly string[]
  /** First day, `YYYY-MM-DD`. */
  readonly from: string
  readonly days: number
  readonly services: readonly ('CloudTrail' | 'WAFLogs' | 'vpcflowlogs' | 'Config')[]
  /** Minutes between two files of a folder. Default: 5 */
  readonly every?: number
  /** Flow logs of a region. Default: 3 */
  readonly flows?: number
}

/** What the folders above say: account, region, year … */
type At = Readonly<Record<string, string>>
/** One step of folders down. */
type Level = readonly [name: string, names: (at: At) => readonly string[]]
type Service = { readonly levels: readonly Level[]; readonly files: (at: At, every: number, flows: number) => string[] }

const two = (n: number): string => String(n).padStart(2, '0')
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
/** Times of day, `HHmm`. */
const times = memo((every: number): string[] =>
  range(Math.ceil(1440 / every)).map((i) => two(Math.floor((i * every) / 60)) + two((i * every) % 60)),
)

const TAIL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const tail = (text: string): string =>
  [...Buffer.from(md5(text), 'hex')].map((byte) => TAIL[byte % TAIL.length] ?? 'A').join('')

const HOURS = range(24).map(two)
const MINUTES = range(12).map((i) => two(i * 5))

const padded = (name: string): string => two(Number(name))
const day = (at: At): string => `${at.year}${padded(at.month ?? '')}${padded(at.day ?? '')}`

const SERVICES: Readonly<Record<VirtualLogs['services'][number], Service>> = {
  CloudTrail: {
    levels: [],
    files: (at, every) =>
      times(every).map((hm) => {
        const name = `${at.account}_CloudTrail_${at.region}_${day(at)}T${hm}Z`
        return `${name}_${tail(name)}.json.gz`
      }),
  },
  WAFLogs: {
    levels: [
      ['hour', () => HOURS],
      ['minute', () => MINUTES],
    ],
    files: (at) => {
      const name = `${at.account}_waflogs_${at.region}_front-door_${day(at)}T${at.hour}${at.minute}Z`
      return [`${name}_${md5(name).slice(0, 8)}.log.gz`]
    },
  },
  vpcflowlogs: {
    levels: [],
    files: (at, every, flows) =>
      range(flows)
        .map((i) => `fl-${md5(`${at.account} ${at.region} ${i}`).slice(0, 8)}`)
        .sort()
        .flatMap((flow) =>
          times(every).map((hm) => {
            const name = `${at.account}_vpcflowlogs_${at.region}_${flow}_${day(at)}T${hm}Z`
            return `${name}_${md5(name).slice(0, 8)}.log.gz`
          }),
        ),
  },
  Config: {
    levels: [],
    files: (at) =>
      ['AWS::EC2::Instance', 'AWS::S3::Bucket'].map(
        (type) =>
          `${at.account}_Config_${at.region}_ConfigHistory_${type}_${day(at)}T004303Z_${day(at)}T025123Z_1.json.gz`,
      ),
  },
}

const sortedFolders = (names: Iterable<string>): string[] =>
  [...new Set(names)].sort((a, b) => compareKeys(`${a}/`, `${b}/`))

/** Names of the folders of years, of months by year, and of days by year and month. */
function calendar(from: string, days: number, written: (n: number) => string): ReadonlyMap<string, readonly string[]> {
  const start = Date.parse(`${from}T00:00:00Z`)
  const below = new Map<string, string[]>()
  const add = (folder: string, name: string) => below.set(folder, [...(below.get(folder) ?? []), name])
  for (const i of range(days)) {
    const date = new Date(start + i * 86_400_000)
    const [year, month] = [String(date.getUTCFullYear()), written(date.getUTCMonth() + 1)]
    add('', year)
    add(year, month)
    add(`${year}/${month}`, written(date.getUTCDate()))
  }
  return new Map([...below].map(([folder, names]) => [folder, sortedFolders(names)]))
}

/** The steps of folders from the root of a bucket down to the files of a service. */
function levelsOf(logs: VirtualLogs, accounts: readonly string[], service: string): Level[] {
  const fixed = `${logs.prefix ?? ''}AWSLogs/${logs.organization ? `${logs.organization}/` : ''}`
  const dates = calendar(logs.from, logs.days, (n) => (service === 'Config' ? String(n) : two(n)))
  const [services, regions] = [sortedFolders(logs.services), sortedFolders(logs.regions)]
  const known = service in SERVICES ? SERVICES[service as keyof typeof SERVICES].levels : []
  return [
    ...fixed
      .split('/')
      .slice(0, -1)
      .map((name): Level => ['fixed', () => [name]]),
    ['account', () => accounts],
    ['service', () => services],
    ['region', () => regions],
    ...(service === 'WAFLogs' ? [['acl', () => ['front-door']] satisfies Level] : []),
    ['year', () => dates.get('') ?? []],
    ['month', (at) => dates.get(`${at.year}`) ?? []],
    ['day', (at) => dates.get(`${at.year}/${at.month}`) ?? []],
    ...known,
  ]
}

const accountsOf = ({ accounts }: VirtualLogs): string[] =>
  (typeof accounts === 'number'
    ? range(accounts).map((i) => String(100_000_000_000 + i * 7_919))
    : [...accounts]
  ).sort()

/** A bucket of logs whose keys come from a formula: any number of them, without any being kept. */
export function virtualLogs(logs: VirtualLogs): VirtualBackend {
  const accounts = accountsOf(logs)
  const levels = new Map(['', ...Object.keys(SERVICES)].map((service) => [service, levelsOf(logs, accounts, service)]))
  const tree = (path: string) => {
    const segments = path.split('/').slice(0, -1)
    let at: At = {}
    for (const [depth, segment] of segments.entries()) {
      const level = levels.get(at.service ?? '')?.[depth]
      if (level === undefined || !level[1](at).includes(segment)) return []
      at = { ...at, [level[0]]: segment }
    }
    const next = levels.get(at.service ?? '')?.[segments.length]
    if (next)
      return childrenOf(
        path,
        next[1](at).map((name) => `${name}/`),
      )
    const service = SERVICES[at.service as keyof typeof SERVICES]
    const files = service.files(at, logs.every ?? 5, logs.flows ?? 3)
    return childrenOf(path, files, entryOf)
  }
  return new VirtualBackend(tree, virtualBytes)
}

function entryOf(key: string): Entry {
  const hash = md5(key)
  const [, d = '', hm = ''] = /_(\d{8})T(\d{4})/.exec(key) ?? []
  const time = Date.parse(`${d.slice(0, 4)}-${d.slice(4, 6)}-${d.slice(6)}T${hm.slice(0, 2)}:${hm.slice(2)}:00Z`)
  return {
    key,
    // The ETag is no MD5 of the bytes, which do not exist yet.
    etag: hash,
    size: 4_000 + (Number.parseInt(hash.slice(0, 8), 16) % 60_000),
    modified: new Date(time + 180_000),
    storageClass: 'STANDARD',
  }
}
