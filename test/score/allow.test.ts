import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { before, describe, test } from 'node:test'
import { parse } from 'csv-parse/sync'
import type { Run } from '../../scripts/lib/runs/run.ts'
import type { Verdict } from '../../scripts/lib/runs/verdicts.ts'
import { runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'
import { trainedRun } from '../support/trained-run.ts'

const workspace = tempFolder()
const allow = `${workspace}/allow.yaml`
const WHY = 'new <b>office</b> \u202e'
const BECAUSE = { until: '2999-12-31', why: WHY, by: 'ada' }

describe('a file of allowances', () => {
  let run: Run
  let flagged: Verdict[]
  const lines = (file: string) => readFileSync(run.path(file), 'utf8').trimEnd().split('\n')
  const verdicts = () => lines('scores/holdout/verdicts.ndjson').map((line) => JSON.parse(line) as Verdict)
  const script = (name: string, ...args: string[]) => runScript(name, ['--workspace', workspace, ...args])
  const score = async (...args: string[]) => {
    const ended = await script('score', '--details', 'no', ...args)
    assert.equal(ended.code, 0, ended.stderr)
    return ended
  }
  const entry = ({ entity, ip }: Verdict, until: string) =>
    `- entity: ${JSON.stringify(entity)}\n  network: ${ip}\n  until: ${until}\n  why: ${JSON.stringify(WHY)}\n  by: ada\n`
  before(async () => {
    run = await trainedRun(workspace)
    await score()
    flagged = verdicts().filter((verdict) => verdict.flagged)
  })

  test('an allowed pair is no alert, and says why; the same address of another entity is one', async () => {
    const [first = assert.fail(), second = assert.fail(), third = assert.fail()] = flagged
    writeFileSync(
      allow,
      entry(first, '2999-12-31') + entry(second, '2026-01-01') + entry({ ...third, entity: 'nobody' }, '2999-12-31'),
    )
    const { stderr, stdout } = await score('--allow', allow)
    assert.match(stderr, /allow\.yaml:6: .*\/32 expired on 2026-01-01 and no longer counts \(new/)
    assert.match(stderr, /replacing the verdicts on the holdout, which were made with other entries of --allow/)
    assert.match(stdout, /^allowed +1 below the threshold/m)
    const now = verdicts()
    const of = ({ entity, ip }: Verdict) => now.find((one) => one.entity === entity && one.ip === ip) ?? assert.fail()
    const { reasons: _, ...rest } = first
    assert.deepEqual(of(first), { ...rest, flagged: false, allowed: `${first.ip}/32`, allowance: BECAUSE })
    assert.deepEqual([of(second).flagged, of(third).flagged], [true, true])
    const again = JSON.parse((await score('--allow', allow, '--output', 'json')).stdout)
    assert.equal(again.repeated, true)
    assert.match(again.allow[0], /^\S+\/32 for .* new <b>office<\/b> \\u\{202e\} \(ada, until 2999-12-31\)$/)
  })

  test('findings and the table say why, and the report shows it in a section of its own', async () => {
    await score('--allow', allow, '--findings', 'csv')
    const table = (file: string) => parse(lines(file).join('\n'), { columns: true }) as Record<string, string>[]
    assert.ok(
      table('scores/holdout/anomalies.csv').some(({ allowed = '' }) =>
        /\/32 new <b>office.* \(ada, until/.test(allowed),
      ),
    )
    assert.equal(table('findings/holdout/findings.csv').filter(({ state }) => state === 'allowed').length, 1)
    const { stdout } = await script('report', '--output', 'json')
    const page = readFileSync(JSON.parse(stdout).report, 'utf8')
    const section = /<h2>Allowed<\/h2>[\s\S]*?<\/section>/.exec(page)?.[0] ?? assert.fail()
    assert.match(section, /1 pair below the threshold is no alert/)
    assert.match(section, /new &lt;b&gt;office&lt;\/b&gt; <b class="code">U\+202E<\/b>/)
    assert.match(section, /<td class="until">2999-12-31<\/td>/)
    const [first = assert.fail()] = flagged
    assert.equal(section.split(`<b class="ip">${first.ip}</b>`).length, 2)
    assert.ok(!/<h2>Most anomalous[\s\S]*?<\/section>/.exec(page)?.[0].includes(`<b class="ip">${first.ip}</b>`))
  })

  test('a mistake is told before anything is scored, with its line', async () => {
    writeFileSync(allow, '- network: 192.0.2.0/24\n  until: soon\n  why: x\n  by: y\n')
    for (const name of ['score', 'pipeline']) {
      const logs = name === 'pipeline' ? ['--source', 'waf', '--logs', workspace, '--last', '1d'] : []
      const ended = await script(name, ...logs, '--allow', allow)
      assert.equal(ended.code, 2)
      assert.match(ended.stderr, /allow\.yaml:2: until must be a day such as 2026-12-31/)
    }
  })
})
