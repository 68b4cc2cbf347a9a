import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { FolderBackend } from '../sandbox/s3/folder.ts'
import { fewObjects } from '../support/few-objects.ts'
import { runScript } from '../support/run-script.ts'
import { pairsIn } from '../support/staged-run.ts'
import { tempFolder } from '../support/temp.ts'

const SOURCES = ['alb', 's3access', 'cloudfront'] as const
const [FROM, TO] = ['2026-03-02', '2026-03-04']
const PUBLIC = /^(?!10\.)\d+\.\d+\.\d+\.\d+$/
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec'

interface Access {
  readonly day: string
  readonly entity: string | undefined
  readonly ip: string
}

/** What a line says, read as plainly as can be; undefined for a line that is no record. */
const READ: Record<(typeof SOURCES)[number], (line: string) => Access | undefined> = {
  alb: (line) => {
    const [, time = '', , client = ''] = line.split(' ')
    const agent = line.split('" "')[1]?.split('" ')[0]
    return { day: time.slice(0, 10), entity: agent, ip: client.split(':').slice(0, -1).join(':') }
  },
  s3access: (line) => {
    const [, , clock = '', , ip = '', requester] = line.split(' ')
    const [dd, month = '', year] = clock.slice(1).split(/[/:]/)
    const MM = String(MONTHS.indexOf(month) / 3 + 1).padStart(2, '0')
    return { day: `${year}-${MM}-${dd}`, entity: line.includes(' S3.EXPIRE') ? undefined : requester, ip }
  },
  cloudfront: (line) => {
    if (line.startsWith('#')) return undefined
    const fields = line.startsWith('{') ? Object.values(JSON.parse(line)).map(String) : line.split('\t')
    const agent = decodeURIComponent(fields[10] ?? '')
    return { day: fields[0] ?? '', entity: /[^ -~]/.test(agent) ? fields[10] : agent, ip: fields[4] ?? '' }
  },
}

describe('logs of sites', async () => {
  const logs = await fewObjects({ sources: SOURCES })
  const labels: Record<string, string>[] = parse(readFileSync(`${logs}/labels.csv`, 'utf8'), { columns: true })
  const workspace = tempFolder()
  const found: Record<string, string[]> = {}

  before(async () => {
    for (const source of SOURCES) {
      const place = ['--workspace', workspace, '--output', 'json']
      const window = ['--source', source, '--logs', logs, '--from', FROM, '--to', TO]
      const staged = await runScript('stage', [...place, ...window])
      assert.equal(staged.code, 0, staged.stderr)
      const { run } = JSON.parse(staged.stdout)
      const extracted = await runScript('extract', [...place, '--run', run])
      assert.equal(extracted.code, 0, extracted.stderr)
      found[source] = pairsIn(`${workspace}/runs/${run}`)
    }
  })

  for (const source of SOURCES) {
    it(`${source}: the pairs are those of a straight count`, () => {
      const counted: string[] = []
      for (const { key } of new FolderBackend(logs).scan('', '')) {
        if (!KEYS[source].test(key)) continue
        const bytes = readFileSync(`${logs}/${key}`)
        for (const line of String(key.endsWith('.gz') ? gunzipSync(bytes) : bytes)
          .split('\n')
          .slice(0, -1)) {
          const access = READ[source](line)
          if (access === undefined || access.day < FROM || access.day >= TO || !PUBLIC.test(access.ip)) continue
          if (access.entity !== undefined && access.entity !== '-') counted.push(`${access.entity} ${access.ip}`)
        }
      }
      assert.ok(counted.length > 500)
      assert.deepEqual(found[source], counted.sort())
    })

    it(`${source}: every labelled attack is among them`, () => {
      const attacks = labels.filter((label) => label.source === source).map(({ entity, ip }) => `${entity} ${ip}`)
      assert.ok(attacks.length >= 3)
      assert.deepEqual(
        attacks.filter((pair) => !found[source]?.includes(pair)),
        [],
      )
    })
  }
})

const KEYS: Record<(typeof SOURCES)[number], RegExp> = {
  alb: /\/elasticloadbalancing\//,
  s3access: /^s3-/,
  cloudfront: /^cdn\/|\/CloudFront\/Dist/,
}
