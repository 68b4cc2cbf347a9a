import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { before, describe, it } from 'node:test'
import { parse } from 'csv-parse/sync'
import { parseAddress } from '../../scripts/lib/insights/ipv6.ts'
import { Ipv6Evidence } from '../../scripts/lib/insights/ipv6-evidence.ts'
import type { Run } from '../../scripts/lib/runs/run.ts'
import type { Verdict } from '../../scripts/lib/runs/verdicts.ts'
import { runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'
import { trainedRun } from '../support/trained-run.ts'

const ipv6 = (text: string): bigint => BigInt(parseAddress(text) ?? 0)

describe('the evidence of IPv6', () => {
  const pair = (entity: string, ip: string, accesses: number) => ({ entity, ip: ipv6(ip), accesses })
  const evidence = new Ipv6Evidence(
    [pair('home', '2600:1:2:3::1', 400), pair('home', '2600:1:2:3::2', 1), pair('office', '2600:9:9:9::1', 500)],
    (entity) => ({ home: 100, office: 0, ipv4: 500 })[entity] ?? 0,
    600,
  )
  const odds = { prior: 'even', accessesPerPair: 2 } as const

  const steps: [ip: string, seen: object, says: RegExp][] = [
    ['2600:1:2:3::1', { ip: true, net64: true, net48: true, net32: true }, /400 accesses from this address before/],
    ['2600:1:2:3::9', { ip: false, net64: true, net48: true, net32: true }, /401 accesses from this \/64 before/],
    ['2600:1:2:4::9', { ip: false, net64: false, net48: true, net32: true }, /from this \/48 before.*; others neither/],
    [
      '2600:1:3::9',
      { ip: false, net64: false, net48: false, net32: true },
      /from this \/32 before, none from the \/48/,
    ],
    [
      '2600:9:8::9',
      { ip: false, net64: false, net48: false, net32: false },
      /never in this \/32; others 500 times from this \/32/,
    ],
    ['2a00::9', { ip: false, net64: false, net48: false, net32: false }, /never in this \/32; others neither/],
  ]

  it('tells the address, its /64, /48 and /32 apart; the farther, the more anomalous', () => {
    for (const [ip, seen, says] of steps) {
      assert.deepEqual(evidence.seen('home', ipv6(ip)), seen, ip)
      const reasons = evidence.reasons('home', ipv6(ip), odds)
      assert.match(reasons.map(({ text }) => text).join(' '), says)
      const sum = reasons.reduce((all, { weight }) => all + weight, 0)
      assert.ok(Math.abs(sum + evidence.value('home', ipv6(ip), odds)) < 1e-9)
    }
    const [address = 0, net64 = 0, net48 = 0, net32 = 0, , elsewhere = 0] = steps.map(
      ([ip]) => -evidence.value('home', ipv6(ip), odds),
    )
    assert.ok(address < net64 && net64 < net48 && net48 <= net32 && net32 < elsewhere)
  })

  it('counts accesses by IPv4 for those of the entity', () => {
    assert.deepEqual(
      ['home', 'office', 'ipv4', 'new'].map((entity) => evidence.events(entity)),
      [501, 500, 500, 0],
    )
    const even = evidence.value('ipv4', ipv6('2a00::9'), odds)
    assert.ok(
      Math.abs(evidence.value('ipv4', ipv6('2a00::9'), { ...odds, prior: 'accesses' }) - even + Math.log(500)) < 1e-9,
    )
  })
})

describe('IPv6 pairs of a run', () => {
  const workspace = tempFolder()
  // All other entities have no IPv6; `rare` comes three times, `stranger` in the holdout alone.
  const rows = [
    ...['agent-7', 'agent-8'].flatMap((entity, i) => [
      `${entity},2600:1:${i}:1::1,80,20`,
      `${entity},2600:1:${i}:1::2,0,3`,
    ]),
    'agent-7,2a00:5:5:5::5,0,1',
    'agent-9,2a00:6:6:6::6,0,2',
    'rare,2600:1:7::1,0,1',
    'stranger,2600:1:8::1,0,1',
  ]
  let run: Run
  const verdicts = () =>
    readFileSync(run.path('scores/holdout/verdicts.ndjson'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Verdict)
  const score = async (...args: string[]) => {
    const ended = await runScript('score', ['--workspace', workspace, '--details', 'no', '-o', 'json', ...args])
    assert.equal(ended.code, 0, ended.stderr)
    return JSON.parse(ended.stdout)
  }
  before(async () => {
    run = await trainedRun(workspace, {}, rows)
  })

  it('have a verdict of their own, within the one budget', async () => {
    const all = await score('--alerts-per-day', '100')
    assert.equal(all.evidence, 6)
    const found = verdicts().filter(({ ip }) => ip.includes(':'))
    const kinds = Object.fromEntries(found.map(({ entity, ip, verdict }) => [`${entity} ${ip}`, verdict]))
    assert.deepEqual(kinds, {
      'agent-7 2600:1:0:1::1': 'evidence',
      'agent-7 2600:1:0:1::2': 'evidence',
      'agent-8 2600:1:1:1::1': 'evidence',
      'agent-8 2600:1:1:1::2': 'evidence',
      'agent-7 2a00:5:5:5::5': 'evidence',
      'agent-9 2a00:6:6:6::6': 'evidence',
      'rare 2600:1:7::1': 'sparse-entity',
      'stranger 2600:1:8::1': 'unseen-entity',
    })
    assert.ok(found.every(({ dotProduct }) => dotProduct === undefined))
    const far = found.find(({ ip }) => ip === '2a00:5:5:5::5')
    assert.deepEqual([far?.flagged, far?.events, far?.accesses, far?.reasons?.length], [true, 230, 1, 3])
    for (const budget of [0, 3, 8]) {
      const { flagged, threshold } = await score('--alerts-per-day', String(budget))
      const judged = verdicts().filter(({ anomalyScore }) => anomalyScore !== undefined)
      assert.ok(flagged <= 2 * budget && flagged >= budget)
      assert.ok(judged.every((one) => one.flagged === 0 - (one.anomalyScore ?? 0) < threshold))
    }
    const strangers = verdicts().filter(({ ip }) => ip.startsWith('2a00:'))
    assert.ok(strangers.every(({ flagged }) => flagged))
  })

  it('are told as such, in the table, in findings, and allowed by network', async () => {
    const hub = ['--findings-account', '111122223333', '--findings-region', 'us-east-1']
    writeFileSync(`${workspace}/networks.tsv`, '2a00:5::\t2a00:5:ffff:ffff:ffff:ffff:ffff:ffff\t64505\tSE\tSix\n')
    const networks = ['--networks', `${workspace}/networks.tsv`]
    await score('--allow', '2A00:6::/32', '--findings', 'asff,ocsf', ...hub, ...networks)
    const allowed = verdicts().find(({ ip }) => ip.startsWith('2a00:6:'))
    assert.deepEqual([allowed?.flagged, allowed?.allowed], [false, '2a00:6::/32'])
    const text = readFileSync(run.path('scores/holdout/anomalies.csv'), 'utf8')
    const row = (parse(text, { columns: true }) as Record<string, string>[]).find(({ ip }) => ip === '2a00:5:5:5::5')
    assert.equal(row?.seen_before, 'never')
    assert.equal(row?.provider, 'AS64505 Six (SE)')
    assert.match(row?.usual_networks ?? '', /2600:1::\/48 35 %/)
    assert.match(row?.why ?? '', /never in this \/32; others neither/)
    const batch = JSON.parse(readFileSync(run.path('findings/holdout/asff-0001.json'), 'utf8'))
    const asff = batch.find(
      ({ Network }: { Network: { SourceIpV6?: string } }) => Network.SourceIpV6 === '2a00:5:5:5::5',
    )
    assert.match(asff.Title, /from 2a00:5:5::\/48 does not fit/)
    assert.match(asff.Description, /judged by evidence alone, since IP Insights takes no IPv6/)
    assert.equal(asff.Action.NetworkConnectionAction.RemoteIpDetails.IpAddressV4, undefined)
    assert.equal(asff.Action.NetworkConnectionAction.RemoteIpDetails.Organization.Asn, 64505)
    const ocsf = readFileSync(run.path('findings/holdout/ocsf.ndjson'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
      .find(({ unmapped }) => unmapped.network === '2a00:5:5::/48')
    assert.equal(ocsf.evidences[0].src_endpoint.ip, '2a00:5:5:5::5')
    assert.equal(ocsf.unmapped.dot_product, undefined)
  })

  it('are in the report', async () => {
    await score()
    const ended = await runScript('report', ['--workspace', workspace])
    assert.equal(ended.code, 0, ended.stderr)
    const html = readFileSync(run.path('report.html'), 'utf8')
    assert.match(html, /2a00:5:5:5::5/)
    assert.match(html, /6 IPv6 pairs are judged by evidence alone/)
  })

  it('are left out where they are not wanted, or only the score ranks', async () => {
    for (const args of [
      ['--ipv6', 'no'],
      ['--rank', 'score'],
    ]) {
      const result = await score(...args)
      assert.equal(result.evidence, undefined)
      assert.ok(verdicts().every(({ ip }) => !ip.includes(':')))
    }
  })

  it('that are missing or damaged are told', async () => {
    writeFileSync(run.path('pairs/ipv6/part-0.csv'), `${rows.join('\n')}\nagent-7,2600::zz,1,1\n`)
    const damaged = await runScript('score', ['--workspace', workspace, '--overwrite'])
    assert.match(damaged.stderr, /part-0\.csv is damaged: "agent-7,2600::zz,1,1"/)
    writeFileSync(run.path('pairs/ipv6/part-0.csv'), `${rows[0]}\n`)
    const missing = await runScript('score', ['--workspace', workspace, '--overwrite'])
    assert.match(missing.stderr, /1 of 8 IPv6 pairs are in/)
  })
})
