import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'

test('the demo goes to the workspace that is named', async () => {
  const cwd = tempFolder()
  const args = ['--demo', '--workspace', 'here', '-o', 'json', '--verbose']
  const { code, stdout, stderr } = await runScript('pipeline', args, { cwd })
  assert.equal(code, 0, stderr)
  const { run, report, steps } = JSON.parse(stdout)
  assert.ok(stderr.includes(`scoring through ${steps.deploy.endpoint}`), stderr)
  await assert.rejects(fetch(`${steps.deploy.endpoint}/ping`))
  assert.equal(report, `${cwd}/here/runs/${run}/report.html`)
  assert.deepEqual(readdirSync(`${cwd}/prestage-demo`), ['logs'])

  const again = await runScript('pipeline', ['--demo', '--workspace', 'here'], { cwd })
  assert.equal(again.code, 0, again.stderr)
  assert.match(again.stdout, /^extracted +[\d,]+ pairs of [\d,]+ entities to train on, [\d,]+ pairs held out$/m)
  assert.match(again.stdout, /^scored +[\d,]+ distinct pairs, \d+ flagged$/m)
  assert.match(again.stdout, /^not judged +\d+ of entities never seen in training, \d+ of rare ones$/m)
  assert.match(again.stdout, /^first at, UTC +who +address +does not fit because +did$/m)
  assert.match(
    again.stdout,
    /^2026-\d\d-\d\d \d\d:\d\d +\S+ in \d{12} +[\da-f.:]+ {2}usually from [\da-f.:]+\/\d+ .* [a-z0-9]+:\w+ \d+/m,
  )
  const [, found, known, kinds = ''] = /^attacks +(\d+) of (\d+) known ones flagged: (.*)$/m.exec(again.stdout) ?? []
  const parts = [...kinds.matchAll(/([a-z\d-]+) (\d+) of (\d+)(, |$)/g)]
  assert.deepEqual(
    parts.map(([, kind]) => kind),
    ['ipv6-network', 'near-network', 'other-entity', 'random-network'],
  )
  assert.equal(
    parts.reduce((sum, [, , flagged]) => sum + Number(flagged), 0),
    Number(found),
  )
  assert.ok(Number(found) > 0.4 * Number(known), again.stdout)
  assert.match(again.stdout, new RegExp(`^report +${report}$`, 'm'))

  const fewer = await runScript('pipeline', [...args, '--alerts-per-day', '5', '--prior', 'accesses'], { cwd })
  assert.equal(fewer.code, 0, fewer.stderr)
  const { stage, extract, train, score, report: page } = JSON.parse(fewer.stdout).steps
  assert.deepEqual(
    [stage, extract, train, score, page].map(({ repeated }) => repeated),
    [true, true, true, false, false],
  )
  assert.deepEqual([score.alertsPerDay, score.flagged < steps.score.flagged, score.prior], [5, true, 'accesses'])
})

test('the demo stays on this machine, and its dry run writes nothing', async () => {
  const cwd = tempFolder()
  for (const workspace of ['s3://org-staging/prestage', 'workspace']) {
    const args = ['--demo', '--workspace', workspace, '--dry-run', '--output', 'json']
    const { code, stdout, stderr } = await runScript('pipeline', args, { cwd })
    assert.equal(code, 0, stderr)
    assert.deepEqual(JSON.parse(stdout), {
      dryRun: true,
      logs: `${cwd}/prestage-demo/logs`,
      workspace: `${cwd}/prestage-demo/workspace`,
    })
  }
  assert.deepEqual(readdirSync(cwd), [])
})

test('the demo of another source has logs of its own, and none of a source that nobody can simulate', async () => {
  const cwd = tempFolder()
  const demo = (source: string) =>
    runScript('pipeline', ['--demo', '--source', source, '--dry-run', '--output', 'json'], { cwd })
  assert.equal(JSON.parse((await demo('alb')).stdout).logs, `${cwd}/prestage-demo/logs-alb`)
  const own = [
    'sources:',
    '  shop:',
    "    keys: 'shop/{yyyy}/{MM}/{dd}/app-{HH}{mm}'",
    '    before: 5',
    '    after: 10',
  ]
  const rest = ['    time: time', '    address: ip', '    entities: { user: user }']
  writeFileSync(`${cwd}/prestage.yaml`, [...own, ...rest].join('\n'))
  const { code, stderr } = await demo('shop')
  assert.equal(code, 2)
  assert.match(stderr, /--demo cannot simulate logs of shop\n {2}choose from cloudtrail, waf, alb/)
})

for (const more of [
  ['--to', '2026-03-12'],
  ['--from', '2026-03-02'],
  ['--last', '24h'],
  ['--labels', 'labels.csv'],
])
  test(`the demo has its own: ${more.join(' ')}`, async () => {
    const cwd = tempFolder()
    writeFileSync(`${cwd}/labels.csv`, '')
    const { code, stderr } = await runScript('pipeline', ['--demo', ...more], { cwd })
    assert.equal(code, 2, stderr)
    assert.match(stderr, /--demo brings its own logs, window and labels/)
    assert.ok(!existsSync(`${cwd}/prestage-demo`))
  })
