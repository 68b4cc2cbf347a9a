import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { fewObjects } from '../support/few-objects.ts'
import { runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'

const SOURCES = ['cloudtrail', 'alb']
const AGENT = `<img src=x onerror='alert(1)'>\u202e</table><script>`

interface Verdict {
  readonly entity: string
  readonly ip: string
  readonly flagged: boolean
  readonly accesses: number
}

/** Logs in which every attacker of CloudTrail also comes to the load balancers, twice, in what is held out. */
async function logsWithVisitors(): Promise<string> {
  const logs = tempFolder()
  cpSync(await fewObjects({ sources: SOURCES }), logs, { recursive: true })
  const attackers = readFileSync(`${logs}/labels.csv`, 'utf8').match(/^cloudtrail,.*/gm) ?? assert.fail('no attacks')
  const ips = new Set(attackers.flatMap((line) => line.match(/\b\d+\.\d+\.\d+\.\d+\b/) ?? []))
  const path = readdirSync(logs, { recursive: true, encoding: 'utf8' }).find((file) =>
    /elasticloadbalancing.*2026\/03\/03\/.*gz$/.test(file),
  )
  const object = `${logs}/${path}`
  const text = gunzipSync(readFileSync(object)).toString()
  const line = text.split('\n').find((one) => / 2026-03-03T20:.* "Mozilla/.test(one)) ?? assert.fail('no line')
  const visits = [...ips].map((ip) =>
    line.replace(/ [\d.]+:\d+ /, ` ${ip}:4711 `).replace(/"Mozilla[^"]*"/, () => `"${AGENT}"`),
  )
  writeFileSync(object, gzipSync(`${text}${[...visits, ...visits].join('\n')}\n`))
  return logs
}

const verdictsIn = (workspace: string, run: string): Verdict[] =>
  readFileSync(`${workspace}/runs/${run}/scores/holdout/verdicts.ndjson`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Verdict)

/** What both have, by a straight count. */
function straight(all: readonly (readonly Verdict[])[]) {
  const flagged = new Set(all.flat().flatMap((one) => (one.flagged ? [one.ip] : [])))
  return [...flagged].flatMap((ip) => {
    const each = all.map((verdicts) => verdicts.filter((one) => one.ip === ip))
    if (each.some(({ length }) => length === 0)) return []
    const sources = each.map((own, i) => ({
      source: SOURCES[i],
      flagged: own.filter((one) => one.flagged).length,
      entities: own.length,
      accesses: own.reduce((sum, { accesses }) => sum + accesses, 0),
    }))
    return [{ ip, sources }]
  })
}

const byIp = (a: { readonly ip: string }, b: { readonly ip: string }): number => (a.ip < b.ip ? -1 : 1)

describe('all sources that are there', () => {
  it('end in a page with a row each, which tells the addresses that several have', async () => {
    const [logs, workspace] = [await logsWithVisitors(), tempFolder()]
    const args = [
      '--source',
      'all',
      '--logs',
      logs,
      '--workspace',
      workspace,
      '--from',
      '2026-03-02',
      '--to',
      '2026-03-04',
    ]
    const { code, stdout, stderr } = await runScript('pipeline', [...args, '--output', 'json'])
    assert.equal(code, 0, stderr)
    const { runs, shared, report } = JSON.parse(stdout)
    assert.deepEqual(Object.keys(runs), SOURCES)
    const expected = straight(SOURCES.map((source) => verdictsIn(workspace, runs[source])))
    assert.ok(expected.length > 0)
    assert.equal(shared.count, expected.length)
    const told: { ip: string; sources: { names: string[] }[] }[] = shared.addresses
    const counts = told.map(({ ip, sources }) => ({ ip, sources: sources.map(({ names: _, ...numbers }) => numbers) }))
    assert.deepEqual(counts.toSorted(byIp), expected.toSorted(byIp))
    for (const { sources } of told) assert.ok(sources[1]?.names.includes(AGENT))

    const page = readFileSync(report, 'utf8')
    for (const name of ['CloudTrail', 'ALB']) assert.match(page, new RegExp(`<tr><td><a href="#\\w+">${name}</a></td>`))
    const section = /<h2>Seen in several sources[\s\S]*?<\/section>/.exec(page)?.[0] ?? assert.fail()
    for (const { ip } of expected) assert.ok(section.includes(`<b class="ip">${ip}</b>`), ip)
    assert.match(section, /flagged<[\s\S]*only seen<[\s\S]*2 accesses of 1 entity/)
    assert.doesNotMatch(page, /<img|\u202e/)

    // Again, in words.
    const again = await runScript('pipeline', args)
    const [first = assert.fail()] = told
    const text = new RegExp(
      `^seen in several +${expected.length} flagged address(es)?: ${first.ip} in cloudtrail and alb`,
      'm',
    )
    assert.match(again.stdout, text)
  })
})
