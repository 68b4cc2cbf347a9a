import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
async function logsWithVisitors() {
  const logs = tempFolder()
  cpSync(await fewObjects({ sources: SOURCES }), logs, { recursive: true })
  const attackers = readFileSync(`${logs}/labels.csv`, 'utf8').match(/^cloudtrail,.*/gm) ?? assert.fail('no attacks')
  const ips = new Set(attackers.flatMap((line) => line.match(/\b\d+\.\d+\.\d+\.\d+\b/) ?? []))
  const objects = readdirSync(logs, { recursive: true, encoding: 'utf8' })
    .filter((file) => /elasticloadbalancing.*\.gz$/.test(file))
    .map((file) => `${logs}/${file}`)
  const last = objects.find((file) => file.includes('/2026/03/03/')) ?? assert.fail('no logs')
  const text = linesIn(last)
  const line = text.find((one) => / 2026-03-03T20:.* "Mozilla/.test(one)) ?? assert.fail('no line')
  const visits = [...ips].map((ip) =>
    line.replace(/ [\d.]+:\d+ /, ` ${ip}:4711 `).replace(/"Mozilla[^"]*"/, () => `"${AGENT}"`),
  )
  write(last, [...text, ...visits, ...visits])
  /** Leaves so few lines of the load balancers that no model of them can be calibrated. */
  const thin = () => {
    for (const object of objects) write(object, object === last ? [...visits, ...visits] : linesIn(object).slice(0, 2))
  }
  return { logs, visitors: ips, thin }
}

const linesIn = (object: string): string[] => gunzipSync(readFileSync(object)).toString().trimEnd().split('\n')
const write = (object: string, lines: readonly string[]): void =>
  writeFileSync(object, gzipSync(`${lines.join('\n')}\n`))

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
    const [{ logs, visitors, thin }, workspace] = [await logsWithVisitors(), tempFolder()]
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

    // A source that judges nothing has still seen them.
    rmSync(`${workspace}/runs/${runs.alb}`, { recursive: true })
    thin()
    const little = await runScript('pipeline', [...args, '--output', 'json'])
    assert.match(little.stderr, /alb: the model could not be calibrated: nothing will be scored/)
    const flagged = verdictsIn(workspace, runs.cloudtrail).filter((one) => one.flagged && visitors.has(one.ip))
    const seen = { source: 'alb', flagged: 0, entities: 1, accesses: 2, names: [AGENT] }
    const left: typeof told = JSON.parse(little.stdout).shared.addresses
    assert.deepEqual(left.map(({ ip }) => ip).sort(), [...new Set(flagged.map(({ ip }) => ip))].sort())
    for (const { sources } of left) assert.deepEqual(sources[1], seen)
  })
})
