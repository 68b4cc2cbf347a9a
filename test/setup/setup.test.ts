import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fixture, LOGS } from './sandbox.ts'

describe('setup', () => {
  it('makes the stack after its plan, with progress, and again changes nothing', async () => {
    const { sandbox, cwd, setup } = await fixture()
    const { result, stderr, code } = await setup([...LOGS, '--yes'])
    assert.equal(code, 0, stderr)
    assert.equal(result.action, 'created')
    assert.match(result.outputs.Workspace, /^s3:\/\/prestage-stagingbucket-[0-9]+\/prestage$/)
    assert.equal(result.outputs.LogsObjectArns, 'arn:aws:s3:::org-logs/AWSLogs/*')
    assert.match(stderr, /\+ bucket StagingBucket[\s\S]*\+ 22 saved queries[\s\S]*StagingBucket CREATE_COMPLETE/)
    assert.equal(readFileSync(`${cwd}/prestage.yaml`, 'utf8'), 'stack: prestage\n')
    assert.equal(sandbox.athena.settings.workgroups.prestage?.enforced, false)
    const again = await setup(['--yes'])
    assert.equal(again.result.action, 'unchanged')
    assert.deepEqual(sandbox.violations, [])
  })

  it('changes what is asked for and keeps the rest', async () => {
    const { sandbox, setup, existingStack } = await fixture()
    await existingStack()
    const { stderr, result } = await setup(['--scan-cutoff', '5', '--database', 'other', '--yes'])
    assert.match(stderr, /~ Athena workgroup Workgroup: WorkGroupConfiguration/)
    assert.match(stderr, /~ Glue database Database: DatabaseInput/)
    assert.equal(result.action, 'updated')
    assert.equal(sandbox.athena.settings.workgroups.prestage?.cutoff, 5e9)
    assert.equal(
      sandbox.cloudformation.stack('prestage').target.parameters.LogsObjectArns,
      'arn:aws:s3:::org-logs/AWSLogs/*',
    )
    assert.deepEqual(sandbox.violations, [])
  })

  it('names what is added and what stays when a key comes and goes', async () => {
    const { sandbox, setup, existingStack } = await fixture()
    await existingStack()
    assert.match((await setup(['--encryption', 'kms', '--yes'])).stderr, /\+ KMS key Key/)
    const { stderr } = await setup(['--encryption', 's3', '--dry-run'])
    assert.match(stderr, /asking CloudFormation/)
    const { stdout } = await setup(['--encryption', 's3', '--dry-run'])
    assert.equal(JSON.parse(stdout).changes.find(({ resource }: { resource: string }) => resource === 'Key').kept, true)
    assert.deepEqual(sandbox.violations, [])
  })

  it('makes a policy to query S3 Metadata tables, and takes it away again', async () => {
    const { sandbox, setup, existingStack } = await fixture()
    assert.equal((await existingStack()).outputs.OperatorMetadataPolicyArn, undefined)
    const { result, stderr } = await setup(['--metadata-tables', 'on', '--yes'])
    assert.match(stderr, /\+ policy OperatorMetadataPolicy/)
    assert.match(String(result?.outputs.OperatorMetadataPolicyArn), /^arn:aws:iam::/, stderr)
    const off = await setup(['--metadata-tables', 'off', '--yes'])
    assert.match(off.stderr, /- policy OperatorMetadataPolicy .*is DELETED/)
    assert.deepEqual(sandbox.violations, [])
  })

  it('lets the role of SageMaker into a VPC, and out of it again', async () => {
    const { sandbox, setup, existingStack } = await fixture()
    await existingStack()
    const policies = () =>
      JSON.stringify(sandbox.cloudformation.stack('prestage').made.get('SageMakerRole')?.properties)
    assert.doesNotMatch(policies(), /ec2:/)
    const { stderr } = await setup(['--allow-vpc', 'vpc-0a1b2c3d', '--yes'])
    assert.match(stderr, /~ role SageMakerRole: Policies/)
    assert.match(policies(), /"ec2:Vpc":"arn:aws:ec2:us-east-1:\*:vpc\/vpc-0a1b2c3d"/)
    assert.equal((await setup(['--allow-vpc', 'none', '--yes'])).result.action, 'updated')
    assert.doesNotMatch(policies(), /ec2:/)
    assert.deepEqual(sandbox.violations, [])
  })

  it('makes again what somebody deleted or changed, when it is asked to', async () => {
    const { sandbox, setup, existingStack } = await fixture()
    await existingStack()
    const { drifts } = sandbox.cloudformation.stack('prestage')
    drifts.set('BatchRole', 'deleted').set('SageMakerRole', ['/Description'])
    assert.equal((await setup(['--yes'])).result.action, 'unchanged')
    const { stderr, result } = await setup(['--restore', '--yes'])
    assert.match(stderr, /\+ role BatchRole\n.*~ role SageMakerRole: Description/)
    assert.equal(result.action, 'updated')
    assert.equal(drifts.size, 0)
    assert.equal((await setup(['--restore', '--yes'])).result.action, 'unchanged')
    assert.deepEqual(sandbox.violations, [])
  })

  it('takes over an update of outputs alone', async () => {
    const { sandbox, setup, existingStack } = await fixture()
    await existingStack()
    const stack = sandbox.cloudformation.stack('prestage')
    const { Region: _, ...Outputs } = stack.target.template.Outputs ?? {}
    stack.target = { ...stack.target, template: { ...stack.target.template, Outputs } }
    const { stderr, result } = await setup(['--yes'])
    assert.match(stderr, /~ outputs of the stack/)
    assert.deepEqual([result.action, result.changes], ['updated', []])
    assert.equal((await setup(['--yes'])).result.action, 'unchanged')
    assert.deepEqual(sandbox.violations, [])
  })

  it('leaves a parameter away that only an older template had', async () => {
    const { sandbox, setup, existingStack } = await fixture()
    await existingStack()
    const stack = sandbox.cloudformation.stack('prestage')
    stack.target = { ...stack.target, parameters: { ...stack.target.parameters, Gone: 'x' } }
    const { result, stderr } = await setup(['--retention-days', '30', '--yes'])
    assert.equal(result?.action, 'updated', stderr)
    assert.deepEqual(sandbox.violations, [])
  })

  it('shows and makes nothing with --dry-run', async () => {
    const { sandbox, cwd, setup } = await fixture()
    const { result, code } = await setup([...LOGS, '--dry-run'])
    assert.equal(code, 0)
    assert.ok(result.changes.length >= 30)
    assert.equal(sandbox.cloudformation.find('prestage'), undefined)
    assert.equal(existsSync(`${cwd}/prestage.yaml`), false)
    assert.deepEqual(sandbox.violations, [])
  })

  it('leaves nothing behind when nobody agrees', async () => {
    const { sandbox, setup } = await fixture()
    const { code, stderr } = await setup(LOGS)
    assert.equal(code, 3)
    assert.match(stderr, /create stack prestage in us-east-1 needs a confirmation/)
    assert.equal(sandbox.cloudformation.find('prestage'), undefined)
  })

  it('takes up a creation that was left behind', async () => {
    const { sandbox, setup } = await fixture()
    sandbox.cloudformation.settings.perLook = 1
    const killed = await setup([...LOGS, '--yes'], {
      onStderr: (soFar, kill) => {
        if (soFar.includes('BatchRole CREATE_COMPLETE')) kill('SIGKILL')
      },
    })
    assert.equal(killed.signal, 'SIGKILL')
    const { stderr, result } = await setup(['--yes'])
    assert.match(stderr, /stack prestage is CREATE_IN_PROGRESS: waiting for it/)
    assert.equal(result?.action, 'unchanged', stderr)
    assert.equal(sandbox.requests.of('ExecuteChangeSet'), 1)
    assert.deepEqual(sandbox.violations, [])
  })

  it('takes away the change set of one that was interrupted, when CloudFormation lets it go', async () => {
    const { sandbox, setup } = await fixture()
    sandbox.faults.add({ operation: 'CreateChangeSet', cut: 'after', times: 1 })
    const { code, stderr } = await setup([...LOGS, '--yes'])
    assert.equal(code, 0, stderr)
    assert.ok(sandbox.requests.of('DeleteChangeSet') >= 2)
    assert.deepEqual(sandbox.violations, [])
  })

  it('stops waiting when it is told to, and the stack goes on', async () => {
    const { sandbox, setup } = await fixture()
    sandbox.cloudformation.settings.perLook = 1
    let done = false
    const { code, stderr } = await setup([...LOGS, '--yes'], {
      onStderr: (soFar, kill) => {
        if (!done && soFar.includes('BatchRole CREATE_COMPLETE')) kill('SIGINT')
        done ||= soFar.includes('BatchRole CREATE_COMPLETE')
      },
    })
    assert.equal(code, 130)
    assert.match(stderr, /the same command resumes where it stopped/)
    assert.equal(sandbox.cloudformation.stack('prestage').status, 'CREATE_IN_PROGRESS')
  })

  it('explains a failure by its cause, and what to do about the rest', async () => {
    const { sandbox, setup } = await fixture()
    sandbox.cloudformation.settings.failures.Workgroup = 'WorkGroup prestage is already created'
    const { code, stderr } = await setup([...LOGS, '--yes'])
    assert.equal(code, 1)
    assert.match(
      stderr,
      /stack prestage is ROLLBACK_COMPLETE: Workgroup \(AWS::Athena::WorkGroup\) CREATE_FAILED: WorkGroup prestage is already created/,
    )
    assert.match(stderr, /can only be deleted: npx zx scripts\/setup.mjs --stack prestage --delete/)
    assert.match((await setup([...LOGS, '--yes'])).stderr, /is ROLLBACK_COMPLETE: Workgroup/)
    sandbox.cloudformation.settings.failures = {}
    assert.equal((await setup(['--delete', '--yes'])).result.deleted, true)
    assert.equal((await setup([...LOGS, '--yes'])).result.action, 'created')
    assert.deepEqual(sandbox.violations, [])
  })

  it('says that an update which failed left things as they were', async () => {
    const { sandbox, setup, existingStack } = await fixture()
    await existingStack()
    sandbox.cloudformation.settings.failures.OperatorPolicy = 'LimitExceeded'
    const { code, stderr } = await setup(['--retention-days', '3', '--read-logs', 's3://others', '--yes'])
    assert.equal(code, 1)
    assert.match(
      stderr,
      /is UPDATE_ROLLBACK_COMPLETE: OperatorPolicy .* UPDATE_FAILED: LimitExceeded\n.*as it was before/,
    )
  })

  it('deletes by name, keeps the bucket, and says so', async () => {
    const { sandbox, cwd, setup, existingStack } = await fixture()
    const { outputs } = await existingStack()
    sandbox.s3.put(outputs.StagingBucket, 'prestage/runs/a/run.json', '{}')
    assert.match((await setup(['--delete', '--dry-run'])).stdout, /keeps/)
    const refused = await setup(['--delete'])
    assert.equal(refused.code, 3)
    assert.match(refused.stderr, /bucket prestage-stagingbucket-\d+ stays, with all runs in it/)
    assert.equal(readFileSync(`${cwd}/prestage.yaml`, 'utf8'), 'stack: prestage\n')
    assert.equal((await setup(['--delete', '--yes'])).result.keeps, outputs.StagingBucket)
    assert.equal(existsSync(`${cwd}/prestage.yaml`), false)
    assert.ok(sandbox.s3.head(outputs.StagingBucket, 'prestage/runs/a/run.json'))
    assert.equal(sandbox.athena.settings.workgroups.prestage, undefined)
    assert.equal((await setup(['--delete', '--yes'])).result.deleted, false)
    assert.deepEqual(sandbox.violations, [])
  })

  it('says why it could not be deleted', async () => {
    const { sandbox, setup, existingStack } = await fixture()
    await existingStack()
    sandbox.cloudformation.settings.failures.BatchRole = 'it has another policy attached'
    const { code, stderr } = await setup(['--delete', '--yes'])
    assert.equal(code, 1)
    assert.match(stderr, /is DELETE_FAILED: BatchRole .* it has another policy attached/)
  })

  it('prints what another account must allow', async () => {
    const { setup, existingStack } = await fixture()
    const { outputs } = await existingStack()
    const { result } = await setup(['--print-bucket-policy', '--read-logs', 's3://theirs/x'])
    const [{ statements }] = result.buckets
    assert.deepEqual(statements.at(-1), {
      Sid: 'PrestageCopiesLogs',
      Effect: 'Allow',
      Principal: { AWS: outputs.BatchRoleArn },
      Action: ['s3:GetObject', 's3:GetObjectTagging'],
      Resource: 'arn:aws:s3:::theirs/x/*',
    })
    assert.equal(result.keyStatements, undefined)
  })

  const config: [what: string, before: string, after: string | undefined][] = [
    ['with comments', '# ours\nlogs: s3://org-logs # all\n', '# ours\nlogs: s3://org-logs # all\nstack: prestage\n'],
    ['that is empty', '# nothing yet\n', '# nothing yet\n\nstack: prestage\n'],
    ['that names it', 'stack:   prestage\n', undefined],
    ['that names another', 'stack: other\n', undefined],
  ]
  for (const [what, before, expected = before] of config)
    it(`notes the stack in a file ${what}`, async () => {
      const { cwd, setup } = await fixture()
      writeFileSync(`${cwd}/prestage.yaml`, before)
      const { code, stderr } = await setup([...LOGS, '--stack', 'prestage', '--yes'])
      assert.equal(code, 0, stderr)
      assert.equal(readFileSync(`${cwd}/prestage.yaml`, 'utf8'), expected)
      assert.equal(/names stack other, and was left alone/.test(stderr), before.includes('other'))
    })

  const taken: [before: string, after: string][] = [
    [
      '# ours\nlogs: ./logs # all\nstack: prestage # by setup\n\nsource: waf\n',
      '# ours\nlogs: ./logs # all\n\nsource: waf\n',
    ],
    ['stack: other\n', 'stack: other\n'],
    ['# stack: prestage\nlogs: a\n', '# stack: prestage\nlogs: a\n'],
  ]
  for (const [before, expected] of taken)
    it(`takes its line back when the stack is deleted: ${JSON.stringify(before)}`, async () => {
      const { cwd, setup, existingStack } = await fixture()
      await existingStack()
      writeFileSync(`${cwd}/prestage.yaml`, before)
      const { code, stderr } = await setup(['--delete', '--stack', 'prestage', '--yes'])
      assert.equal(code, 0, stderr)
      assert.equal(readFileSync(`${cwd}/prestage.yaml`, 'utf8'), expected)
    })

  const mistakes: [what: string, args: string[], code: number, says: RegExp][] = [
    ['no logs', ['--yes'], 2, /no logs\n.*add --read-logs s3:\/\/bucket/],
    ['logs that are a folder', ['--read-logs', './logs'], 2, /--read-logs "\.\/logs": must be s3:\/\/bucket/],
    ['logs with a star', ['--read-logs', 's3://org-logs/*'], 2, /must be s3:\/\/bucket/],
    ['a VPC that is none', ['--allow-vpc', 'true'], 2, /must be the id of a VPC, vpc-…, or none/],
    ['a key that is none', ['--logs-key', 'alias/logs'], 2, /must be the ARN of a KMS key/],
    ['a name that is none', ['--stack', 'a_b'], 2, /must be letters, digits and -/],
    ['two things at once', ['--check', '--delete'], 2, /exclude each other/],
    ['what the template refuses', [...LOGS, '--database', 'A-B', '--yes'], 2, /DatabaseName failed to satisfy/],
    ['a policy without a stack', ['--print-bucket-policy'], 1, /no finished stack prestage in us-east-1/],
  ]
  for (const [what, args, expected, says] of mistakes)
    it(`refuses ${what}`, async () => {
      const { code, stderr } = await (await fixture()).setup(args)
      assert.equal(code, expected, stderr)
      assert.match(stderr, says)
    })

  for (const action of ['cloudformation:CreateChangeSet', 'cloudformation:DescribeStackEvents'])
    it(`says what it may not do: ${action}`, async () => {
      const { sandbox, setup } = await fixture()
      sandbox.s3.deny({ action })
      const { code, stderr } = await setup([...LOGS, '--yes'])
      assert.equal(code, 4, stderr)
      assert.match(stderr, new RegExp(`stack prestage: access denied: .* lacks ${action}`))
    })
})
