import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { before, describe, test } from 'node:test'
import { parse } from 'csv-parse/sync'
import { command as evaluate } from '../../scripts/evaluate/command.ts'
import { silentContext } from '../../scripts/lib/cli/command.ts'
import { take } from '../../scripts/lib/cli/take.ts'
import { alertsOf } from '../../scripts/lib/runs/alerts.ts'
import type { Run } from '../../scripts/lib/runs/run.ts'
import type { Verdict } from '../../scripts/lib/runs/verdicts.ts'
import { runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'
import { trainedRun } from '../support/trained-run.ts'

const EVIL = '<b onload="x">\u202e\u001b'
const workspace = tempFolder()
const networks = `${workspace}/networks.tsv`

describe('files of networks', () => {
  let run: Run
  const lines = (file: string) => readFileSync(run.path(file), 'utf8').trimEnd().split('\n')
  const verdicts = () => lines('scores/holdout/verdicts.ndjson').map((line) => JSON.parse(line) as Verdict)
  const script = (name: string, ...args: string[]) => runScript(name, ['--workspace', workspace, ...args])
  before(async () => {
    run = await trainedRun(workspace)
    // Everybody's addresses lie between 20.0.0.0 and 170.255.255.255; most are of one provider.
    writeFileSync(
      networks,
      `20.0.0.0\t139.255.255.255\t64500\tDE\tLarge Access\n140.0.0.0\t255.255.255.255\t64501\tXX\t${EVIL}\n`,
    )
  })

  test('every alert says whose network it is, and whether the entity came from there before', async () => {
    await script('score', '--details', 'no')
    const plain = lines('scores/holdout/verdicts.ndjson')
    const ended = await script('score', '--details', 'no', '--networks', networks)
    assert.equal(ended.code, 0, ended.stderr)
    assert.match(ended.stderr, /replacing the verdicts on the holdout, which were made with other --networks/)
    assert.match(ended.stdout, /^who +address +network +does not fit because$/m)
    assert.match(ended.stdout, /AS64501 <b onload="x">\\u\{202e\}\\u\{1b\} \(XX\)/)
    assert.match(ended.stdout, /AS64500 Large Access \(DE\)/)
    const training = lines('pairs/train/part-0.csv').map((row) => row.split(',') as [string, string])
    const isLarge = (ip: string) => Number(ip.split('.')[0]) < 140
    const { encodeEntity } = await import('../../scripts/lib/insights/entity-codec.ts')
    const flagged = verdicts().filter((one) => one.flagged)
    assert.ok(flagged.length > 10)
    for (const { entity, ip, provider } of flagged)
      assert.deepEqual(provider, {
        ...(isLarge(ip)
          ? { number: 64500, name: 'Large Access', country: 'DE' }
          : { number: 64501, name: EVIL, country: 'XX' }),
        before: training.filter(([name, from]) => name === encodeEntity(entity) && isLarge(from) === isLarge(ip))
          .length,
      })
    assert.deepEqual(
      verdicts().map(({ provider: _, ...rest }) => JSON.stringify(rest)),
      plain.map((line) => JSON.stringify(JSON.parse(line))),
    )
    assert.ok(verdicts().every((one) => one.flagged === (one.provider !== undefined)))
    const alerts = await alertsOf(run, 'holdout')
    assert.ok(alerts.every(({ provider, usual }) => provider && usual.every((one) => one.provider)))
    const rows = parse(lines('scores/holdout/anomalies.csv').join('\n'), { columns: true }) as Record<string, string>[]
    assert.match(rows.find(({ flagged }) => flagged === 'yes')?.provider ?? '', /^AS6450[01] /)
    assert.match(rows[0]?.usual_networks ?? '', /\/24 \d+ % AS6450[01] /)
    const again = await script('score', '--details', 'no', '--networks', networks, '--output', 'json')
    assert.equal(JSON.parse(again.stdout).repeated, true)
  })

  test('findings have it where their formats do', async () => {
    const hub = ['--findings-account', '111122223333', '--findings-region', 'us-east-1']
    const args = ['--details', 'no', '--networks', networks, '--findings', 'asff,ocsf,csv', ...hub]
    assert.equal((await script('score', ...args)).code, 0)
    const [asff] = JSON.parse(lines('findings/holdout/asff-0001.json').join(''))
    const { NetworkConnectionAction: action } = asff.Action
    assert.match(String(action.RemoteIpDetails.Organization.Asn), /^6450[01]$/)
    assert.match(action.RemoteIpDetails.Country.CountryCode, /^(DE|XX)$/)
    assert.match(asff.Description, /Network of AS6450[01] .*(never|\d+ access(es)?) from this provider before\./)
    const [ocsf] = lines('findings/holdout/ocsf.ndjson').map((line) => JSON.parse(line))
    assert.match(String(ocsf.evidences[0].src_endpoint.autonomous_system.number), /^6450[01]$/)
    const [row] = parse(lines('findings/holdout/findings.csv').join('\n'), { columns: true }) as Record<
      string,
      string
    >[]
    assert.match(row?.provider ?? '', /^AS6450[01] /)
  })

  test('the report shows what was scored, or asks files of its own about all addresses', async () => {
    const page = async (...args: string[]) => {
      const { stdout, stderr } = await script('report', '--output', 'json', ...args)
      assert.doesNotMatch(stderr, /^Error/m)
      return readFileSync(JSON.parse(stdout).report, 'utf8')
    }
    const scored = await page()
    assert.match(scored, /AS64500 Large Access \(DE\)/)
    assert.match(scored, /&lt;b onload=/)
    const unjudged = (text: string) => /<h2>Not judged[\s\S]*?<\/table>/.exec(text)?.[0] ?? ''
    assert.doesNotMatch(unjudged(scored), /AS6450/)
    assert.match(unjudged(await page('--networks', networks)), /AS6450/)
  })

  test('a file that knows none of the addresses is told', async () => {
    writeFileSync(`${workspace}/other.tsv`, '1.0.0.0\t1.0.0.255\t13335\tUS\tCLOUDFLARENET\n')
    const ended = await script('score', '--details', 'no', '--networks', `${workspace}/other.tsv`)
    assert.equal(ended.code, 0)
    assert.match(ended.stderr, /--networks knows none of the \d+ addresses below the threshold/)
    const broken = await script('score', '--networks', '/nowhere.mmdb')
    assert.equal(broken.code, 2)
  })

  test('evaluate measures the rule "never from this provider before"', async () => {
    const { json } = await take(evaluate, silentContext(), { workspace, attacks: 200, networks: [networks] })
    const found = json.lines as { ranking: string; attackers: string; auc: number }[]
    const own = found.filter(({ ranking }) => ranking === 'provider not seen')
    assert.equal(own.length, 4 * 2)
    // With two providers it tells little.
    for (const { auc } of own) assert.ok(auc > 0.4 && auc < 0.9, String(auc))
  })
})
