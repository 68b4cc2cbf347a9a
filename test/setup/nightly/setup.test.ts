import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { SQL_FILES } from '../../../scripts/lib/sources/own/mapping.ts'
import { archiveOfProject } from '../../../scripts/setup/nightly/archive.ts'
import { unzipped } from '../../support/zip.ts'
import { fixture } from '../sandbox.ts'

const NIGHTS = ['--nightly', '02:30', '--source', 'cloudtrail,waf']

describe('setup --nightly', async () => {
  const { sandbox, cwd, setup, existingStack } = await fixture()
  const { codebuild, cloudformation, s3 } = sandbox
  let bucket = ''
  const archives = () => s3.keys(bucket, 'prestage/nightly/')
  before(async () => {
    const { outputs } = await existingStack()
    bucket = outputs.StagingBucket
  })
  after(() => assert.deepEqual(sandbox.violations, []))

  it('makes and uploads nothing with --dry-run, or when nobody agrees', async () => {
    const shown = await setup([...NIGHTS, '--dry-run'])
    assert.equal(shown.code, 0)
    assert.ok(shown.result.changes.length >= 9)
    assert.equal((await setup(NIGHTS)).code, 3)
    assert.equal(cloudformation.find('prestage-nightly'), undefined)
    assert.deepEqual(s3.keys(bucket), [])
  })

  it('says what a stack refuses, and how it is deleted', async () => {
    cloudformation.settings.failures = { EveryNight: 'The execution role you provide must allow …' }
    const { code, stderr } = await setup([...NIGHTS, '--yes'])
    cloudformation.settings.failures = {}
    assert.equal(code, 1)
    assert.match(stderr, /stack prestage-nightly is ROLLBACK_COMPLETE: EveryNight .* The execution role/)
    assert.match(stderr, /npx zx scripts\/setup\.mjs --stack prestage --nightly off, then set up again/)
    assert.equal((await setup(['--nightly', 'off', '--yes'])).result.deleted, true)
  })

  it('makes a stack that runs this version every night, after a plan with the cost of a month', async () => {
    const { code, stderr, result } = await setup([...NIGHTS, '--notify', 'sec@example.com', '--max-cost', '2', '--yes'])
    assert.equal(code, 0, stderr)
    assert.match(
      stderr,
      /create stack prestage-nightly in us-east-1\n[\s\S]*\+ CodeBuild project Night\n[\s\S]*about \$2\.35 for 30 nights of 15 minutes in CodeBuild and an alarm \(us-east-1, 2026-11-20\),\n.*at most \$2\.00 a night/,
    )
    assert.equal(result.action, 'created')
    const project = codebuild.projects.get('prestage-nightly') ?? assert.fail()
    const archive = await archiveOfProject([])
    assert.equal(project.source, `${bucket}/prestage/nightly/${archive.name}`)
    assert.deepEqual(await s3.get(bucket, `prestage/nightly/${archive.name}`), archive.body)
    assert.match(project.buildspec, /scripts\/nightly\.mjs --source cloudtrail,waf --max-cost 2 .*--topic arn:aws:sns:/)
    assert.deepEqual(
      [...codebuild.schedules.values()].map(({ expression }) => expression),
      ['cron(30 2 * * ? *)'],
    )
    assert.deepEqual(
      [...codebuild.subscriptions.values()].map(({ endpoint }) => endpoint),
      ['sec@example.com'],
    )
    assert.equal((await setup([...NIGHTS, '--yes'])).result.action, 'unchanged')
  })

  it('changes what is named and keeps the rest; none takes an address back', async () => {
    const { result } = await setup(['--nightly', '23:05', '--retrain', '14d', '--notify', 'none', '--yes'])
    assert.equal(result.action, 'updated')
    assert.equal(result.options, '--source cloudtrail,waf --max-cost 2 --retrain 14d')
    assert.equal(result.schedule, 'cron(5 23 * * ? *)')
    assert.equal(codebuild.subscriptions.size, 0)
  })

  it('puts a new version in place, and removes the archive of the old one', async () => {
    const stack = cloudformation.stack('prestage-nightly')
    const older = 'prestage/nightly/prestage-0000000000000000.zip'
    s3.put(bucket, older, 'an older one')
    const made = stack.made.get('Night') ?? assert.fail()
    stack.made.set('Night', { ...made, properties: { ...made.properties, Source: { Type: 'S3' } } })
    stack.target = { ...stack.target, parameters: { ...stack.target.parameters, Archive: older } }
    assert.match(
      (await setup(['--yes'])).stderr,
      /the nights run another version than this one: npx zx .* --stack prestage --nightly 23:05 puts this one in place/,
    )
    const { result, stderr } = await setup(['--nightly', '02:30', '--yes'])
    assert.equal(result.action, 'updated', stderr)
    assert.match(stderr, /~ CodeBuild project Night: Source/)
    assert.deepEqual(archives(), [`prestage/nightly/${(await archiveOfProject([])).name}`])
  })

  it('cannot be left behind: IAM keeps policies that a role has', () => {
    const main = cloudformation.stack('prestage')
    const { made, status, events } = { ...main, made: new Map(main.made), events: [...main.events] }
    cloudformation.delete(main)
    while (main.work.length > 0) cloudformation.look(main)
    assert.equal(main.status, 'DELETE_FAILED')
    const { reason } = main.events.find((event) => event.status === 'DELETE_FAILED') ?? {}
    assert.equal(reason, 'Cannot delete a policy attached to entities.')
    for (const [id, one] of made) main.made.set(id, one)
    main.status = status
    main.events.splice(0, Number.POSITIVE_INFINITY, ...events)
  })

  it('takes the definitions along of those sources of prestage.yaml that are judged', async () => {
    const config = `${cwd}/prestage.yaml`
    const before = readFileSync(config, 'utf8')
    const shop = { keys: 'shop/{yyyy}/{MM}/{dd}/a-', time: 'at', address: 'ip', entities: { user: 'who' } }
    const mail = {
      keys: 'mail/{yyyy}/{MM}/{dd}/',
      sql: './of-mail',
      members: { at: 'VARCHAR' },
      entities: { sender: 'a' },
    }
    const define = (sources: object) => writeFileSync(config, `${before}\nsources: ${JSON.stringify(sources)}\n`)
    mkdirSync(`${cwd}/of-mail`)
    for (const name of SQL_FILES) writeFileSync(`${cwd}/of-mail/${name}`, `select '${name}'`)
    const waf = { keys: 'copied-waf/{yyyy}/{MM}/{dd}/{HH}/a-' }
    define({ shop, mail, other: shop, waf })
    const { result, stderr } = await setup(['--nightly', '02:30', '--source', 'shop,mail,waf,apigateway', '--yes'])
    assert.equal(result?.action, 'updated', stderr)
    const [archive = ''] = archives()
    const files = unzipped(await s3.get(bucket, archive))
    assert.deepEqual(JSON.parse(String(files.get('prestage.yaml'))), {
      sources: { shop, mail: { ...mail, sql: './sources/mail' }, waf },
    })
    assert.equal(String(files.get('sources/mail/table.sql')), "select 'table.sql'")
    const said = async () => {
      const { result } = await setup(['--check'])
      const { ok, says } = result.findings.find(({ what }: { what: string }) => what === 'nightly')
      return ok || says
    }
    assert.equal(await said(), true)
    define({ shop: { ...shop, time: 'then' }, mail, waf })
    assert.equal(
      await said(),
      'the nights run another version than this one, or another definition of shop or mail or waf',
    )
    define({ mail })
    assert.equal(await said(), 'the nights judge shop, and prestage.yaml has no such source here')
    writeFileSync(config, before)
    await setup([...NIGHTS, '--yes'])
  })

  it('off takes it away with its archives, and leaves the rest', async () => {
    s3.put(bucket, 'prestage/runs/a/run.json', '{}')
    const refused = await setup(['--nightly', 'off'])
    assert.equal(refused.code, 3)
    assert.match(refused.stderr, /delete stack prestage-nightly[\s\S]*runs, models and reports stay/)
    assert.match((await setup(['--nightly', 'off', '--dry-run'])).stdout, /dryRun/)
    assert.equal((await setup(['--nightly', 'off', '--yes'])).result.deleted, true)
    assert.equal(codebuild.projects.size + codebuild.schedules.size, 0)
    assert.deepEqual(s3.keys(bucket), ['prestage/runs/a/run.json'])
    assert.equal((await setup(['--nightly', 'off', '--yes'])).result.deleted, false)
  })

  const mistakes: [what: string, args: string[], code: number, says: RegExp][] = [
    [
      'no time',
      ['--nightly', '24:00', '--source', 'waf'],
      2,
      /--nightly "24:00": must be a time such as 02:30, or off/,
    ],
    ['no source', ['--nightly', '02:30', '--yes'], 2, /no source\n.*add --source cloudtrail/],
    ['a source that is none', ['--nightly', '02:30', '--source', 'wafs'], 2, /did you mean waf/],
    ['no address', [...NIGHTS, '--notify', 'me'], 2, /must be an address, or none/],
    ['words for a shell', [...NIGHTS, '--retrain', '7d;id'], 2, /--retrain "7d;id": must be/],
    ['options without it', ['--notify', 'a@example.com'], 2, /--notify belongs to --nightly/],
    ['options with off', ['--nightly', 'off', '--history', '10d'], 2, /--history belongs to --nightly/],
    ['two things at once', ['--check', '--nightly', 'off'], 2, /exclude each other/],
    ['another stack', [...NIGHTS, '--stack', 'other', '--yes'], 1, /no finished stack other in us-east-1/],
  ]
  for (const [what, args, expected, says] of mistakes)
    it(`refuses ${what}`, async () => {
      const { code, stderr } = await setup(args)
      assert.equal(code, expected, stderr)
      assert.match(stderr, says)
    })

  it('goes with its stack, and before it', async () => {
    await setup([...NIGHTS, '--yes'])
    const { code, stderr, result } = await setup(['--delete', '--yes'])
    assert.equal(code, 0, stderr)
    assert.equal(result.deleted, true)
    assert.match(stderr, /before it stack prestage-nightly/)
    for (const name of ['prestage', 'prestage-nightly']) assert.equal(cloudformation.find(name), undefined)
  })
})
