import { runSimulation } from '@cloud-copilot/iam-simulate'
import type { Access } from '../../sandbox/access.ts'
import { listOf, type Policies, type Statement } from './policies.ts'

/** A part of a statement that a call rests on. */
export interface Ground {
  readonly policy: string
  readonly sid: string
  readonly action: string
  /** Resources of the statement that the one of the call fits. */
  readonly resources: readonly string[]
}

export interface Judgement {
  readonly access: Access
  readonly isAllowed: boolean
  /** Names who, what, on what and in which operation. */
  readonly says: string
  /** Every statement that allows it by itself. */
  readonly grounds: readonly Ground[]
  /** As the Service Authorization Reference calls it; undefined for actions without resources. */
  readonly resourceType: string | undefined
}

/** A key of somebody else's making lets the account's own policies decide. */
const PLAIN_KEY = (account: string) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'kms:*', Resource: '*' }],
})

/** What IAM says to a call. @throws Error when the call is none that IAM knows: another resource, an action that is not there */
export async function judge(policies: Policies, account: string, access: Access): Promise<Judgement> {
  const { principal, action, resource, context, operation } = access
  const name = policies.names[principal] ?? principal
  const identity = policies.identities[name] ?? {}
  const resourcePolicy = policyOn(policies, account, resource)
  const answer = await runSimulation(
    {
      request: {
        principal,
        action,
        resource: { resource, accountId: account },
        contextVariables: { 'aws:SecureTransport': 'true', ...context },
      },
      identityPolicies: Object.entries(identity).flatMap(([name, policy]) => {
        const Statement = policy.Statement.filter(({ Action }) => concerns(Action, action))
        return Statement.length > 0 ? [{ name, policy: { ...policy, Statement } }] : []
      }),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(resourcePolicy !== undefined && { resourcePolicy }),
    },
    {},
  )
  const says = `${name}: ${action} on ${resource}${contextText(context)} (${operation})`
  if (answer.resultType === 'error') throw new Error(`${says}: ${JSON.stringify(answer.errors)}`)
  if (answer.resultType === 'wildcard') throw new Error(`${says}: a resource with a wildcard`)
  const { analysis, ignoredContextKeys = [], resourceType } = answer.result
  if (ignoredContextKeys.length > 0) throw new Error(`${says}: ${ignoredContextKeys.join()} does not belong to it`)
  const statements = analysis.identityAnalysis?.allowStatements ?? []
  const grounds = statements.map(({ policyId, explain }) => ({
    policy: policyId,
    sid: explain.identifier,
    action,
    resources: listOf(explain.resources ?? [])
      .filter(({ matches }) => matches)
      .map((one) => one.resource),
  }))
  return { access, isAllowed: answer.overallResult === 'Allowed', says, grounds, resourceType }
}

/** Statements about other actions decide nothing, and take their time. */
const concerns = (actions: Statement['Action'], action: string): boolean =>
  listOf(actions).some((one) => one === action || one.includes('*'))

const contextText = (context: Access['context']): string => {
  const pairs = Object.entries(context).map(([key, value]) => `${key} ${value}`)
  return pairs.length === 0 ? '' : `, ${pairs.join(', ')}`
}

function policyOn({ resources }: Policies, account: string, arn: string): unknown {
  if (arn.startsWith('arn:aws:s3:::')) return resources[arn.split('/')[0] ?? '']
  return resources[arn] ?? (/^arn:aws:kms:/.test(arn) ? PLAIN_KEY(account) : undefined)
}
