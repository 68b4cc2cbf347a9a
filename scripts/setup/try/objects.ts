import { gzipSync } from 'node:zlib'

/** An object of the try's own making: a file of CloudTrail. */
export interface MadeObject {
  readonly key: string
  readonly body: Buffer
  readonly records: number
  /** Whether it has a tag, which copies leave behind. */
  readonly isTagged: boolean
}

const record = (n: number) => ({
  eventTime: `2026-01-01T00:00:0${n}Z`,
  eventName: `Try${n}`,
  eventSource: 'prestage.example',
  sourceIPAddress: `192.0.2.${n}`,
  userIdentity: { type: 'IAMUser', principalId: `AIDATRY${n}` },
})

const trail = (numbers: readonly number[]): Buffer => gzipSync(JSON.stringify({ Records: numbers.map(record) }))

/** A slash, a blank, a plus, a percent sign, a comma, a quote and an umlaut: what an encoding can get wrong. */
const ODD_NAME = `odd name+%2B, "ü".json.gz`

/** Three small files with four records. */
export const madeObjects: readonly MadeObject[] = [
  { key: 'AWSLogs/plain.json.gz', body: trail([1, 2]), records: 2, isTagged: false },
  { key: `AWSLogs/${ODD_NAME}`, body: trail([3]), records: 1, isTagged: false },
  { key: 'AWSLogs/tagged.json.gz', body: trail([4]), records: 1, isTagged: true },
]

/** An archived object, so that a job has a task that fails. Nobody needs a right for that, as for an object that is missing. */
export const ARCHIVED_KEY = `AWSLogs/archived ${ODD_NAME}`

/** Metadata of all made objects. */
export const METADATA = { 'prestage-try': 'kept' }

/** Files with something unusual in them, by the name of the run that they are read as. */
export const oddFiles = {
  digest: {
    source: 'cloudtrail',
    body: gzipSync(JSON.stringify({ digestStartTime: '2026-01-01T00:00:00Z', logFiles: [] })),
  },
  oddrecord: { source: 'cloudtrail', body: gzipSync(JSON.stringify({ Records: [record(5), 7] })) },
  broken: { source: 'cloudtrail', body: gzipSync('{"Records":[{"eventName":') },
  emptyline: {
    source: 'waf',
    body: gzipSync('{"timestamp":1,"action":"ALLOW"}\n\n{"timestamp":2,"action":"BLOCK"}\n'),
  },
} as const

/** 2,000 made-up pairs: 40 entities, each at home in one network. */
export const madePairs = (): string[] =>
  Array.from({ length: 2000 }, (_, i) => `entity-${i % 40},198.51.${i % 40}.${1 + (Math.floor(i / 40) % 50)}`)
