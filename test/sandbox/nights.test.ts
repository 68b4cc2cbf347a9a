import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns'
import { ROOT } from '../support/run-script.ts'
import { type Json, type Members, parseTemplate } from './cloudformation/template.ts'
import { startSandbox } from './start.ts'

const TEXT = readFileSync(`${ROOT}cfn/nightly.yaml`, 'utf8')
const PARAMETERS = {
  Stack: 'prestage',
  Bucket: 'b',
  Archive: 'prestage/nightly/prestage-0123456789abcdef.zip',
  OperatorPolicyArn: 'arn:aws:iam::111122223333:policy/a',
  OperatorModelPolicyArn: 'arn:aws:iam::111122223333:policy/b',
  Schedule: 'cron(30 2 * * ? *)',
  Options: '--source waf --yes',
  NotifyEmail: 'a@example.com',
}

/** How a stack of the template ends when something in it is changed: its status, and the failure that came first. */
async function ending(path: string, value: Json, parameters: Partial<typeof PARAMETERS> = {}) {
  const sandbox = await startSandbox()
  try {
    const template = parseTemplate(TEXT)
    const keys = path.split('/')
    const last = keys.pop() ?? ''
    let at = template.Resources as unknown as Members
    for (const key of keys) at = (at[key] ?? assert.fail(`no ${key} in ${path}`)) as Members
    if (last !== '') at[last] = value
    const { cloudformation } = sandbox
    const stack = cloudformation.add('prestage-nightly')
    const target = { template, parameters: { ...PARAMETERS, ...parameters }, tags: [] }
    const changes = cloudformation.changes(stack, target, false)
    cloudformation.execute(stack, {
      id: 'a',
      name: 'a',
      type: 'CREATE',
      target,
      changes,
      isEmpty: false,
      created: new Date(),
      status: 'CREATE_COMPLETE',
      execution: 'AVAILABLE',
      reason: undefined,
    })
    while (stack.work.length > 0) cloudformation.look(stack)
    const { resource, reason } = stack.events.find(({ status }) => status === 'CREATE_FAILED') ?? {}
    return { status: stack.status, says: `${resource}: ${reason}` }
  } finally {
    await sandbox.close()
  }
}

const TRUST = 'Properties/AssumeRolePolicyDocument/Statement/0/Principal/Service'

describe('CodeBuild, Scheduler, EventBridge and SNS of the sandbox', () => {
  it('take the template as it is', async () => assert.equal((await ending('', null)).status, 'CREATE_COMPLETE'))

  const refused: [what: string, path: string, value: Json, says: RegExp][] = [
    ['a role that CodeBuild may not take', `NightRole/${TRUST}`, 'ec2.amazonaws.com', /^Night: CodeBuild is not auth/],
    ['a role that Scheduler may not take', `ScheduleRole/${TRUST}`, 'ec2.amazonaws.com', /^EveryNight: The execution/],
    ['another target', 'EveryNight/Properties/Target/Arn', 'arn:aws:codebuild:x', /^EveryNight: Provided Arn/],
    ['no time', 'EveryNight/Properties/ScheduleExpression', 'cron(30 2 * * *)', /^EveryNight: Invalid Schedule/],
    ['hours and hours', 'Night/Properties/TimeoutInMinutes', 2161, /^Night: Invalid timeout/],
    ['a source that is none', 'Night/Properties/Source/Location', 'bucket', /^Night: Invalid project source/],
    [
      'a variable that is none',
      'Failed/Properties/Targets/0/InputTransformer/InputTemplate',
      '"<what>"',
      /^Failed: Invalid InputTemplate: <what>/,
    ],
    [
      'a template without quotes',
      'Failed/Properties/Targets/0/InputTransformer/InputTemplate',
      'a',
      /^Failed: Invalid/,
    ],
    ['no address', 'Email/Properties/Endpoint', 'nobody', /^Email: Invalid parameter/],
  ]
  for (const [what, path, value, says] of refused)
    it(`refuse ${what}`, async () => {
      const ended = await ending(path, value)
      assert.equal(ended.status, 'ROLLBACK_COMPLETE')
      assert.match(ended.says, says)
    })

  const notices: [what: string, subject: string, message: string, name: string][] = [
    ['a subject that is too long', 'a'.repeat(100), 'a', 'InvalidParameter'],
    ['a subject of two lines', 'a\nb', 'a', 'InvalidParameter'],
    ['a message that is too long', 'a', 'a'.repeat(262_145), 'InvalidParameter'],
  ]
  for (const [what, Subject, Message, name] of notices)
    it(`refuse ${what}`, async () => {
      const sandbox = await startSandbox()
      const credentials = { accessKeyId: 'AKIASANDBOXSANDBOX00', secretAccessKey: 'sandbox+secret/of+nobody' }
      const client = new SNSClient({ endpoint: sandbox.url, region: 'us-east-1', credentials })
      const sent = client.send(new PublishCommand({ TopicArn: 'arn:aws:sns:us-east-1:1:a', Subject, Message }))
      await assert.rejects(sent, (error: Error) => error.name.startsWith(name))
      await sandbox.close()
    })
})
