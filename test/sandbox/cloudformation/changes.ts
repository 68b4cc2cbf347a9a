import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec'
import { AwsError } from '../http.ts'
import type { CloudFormation } from './cloudformation.ts'
import { attributeOf } from './real.ts'
import { type Change, type Stack, same, type Target } from './stack.ts'
import { type Json, Resolver, type Template } from './template.ts'

let known: ReturnType<typeof loadAwsServiceSpecSync> | undefined

/** Whether CloudFormation has to replace a resource to change a property of it. */
function replaces(type: string, property: string): 'True' | 'False' | 'Conditional' {
  known ??= loadAwsServiceSpecSync()
  const [found] = known.lookup('resource', 'cloudFormationType', 'equals', type)
  const { causesReplacement = 'no' } = found?.properties[property] ?? {}
  return ({ yes: 'True', no: 'False', maybe: 'Conditional' } as const)[causesReplacement]
}

/** Names of what does not exist yet stand for themselves. */
export function resolverOf({ s3 }: CloudFormation, stack: Stack, { template, parameters }: Target): Resolver {
  return new Resolver(template, {
    parameters,
    pseudo: {
      'AWS::Partition': 'aws',
      'AWS::Region': s3.region,
      'AWS::AccountId': s3.account,
      'AWS::StackName': stack.name,
      'AWS::StackId': stack.id,
    },
    ref: (id) => stack.made.get(id)?.physical ?? (template.Resources[id] && `{${id}}`),
    att: (id, name) => {
      const made = stack.made.get(id)
      return made === undefined ? `{${id}.${name}}` : attributeOf(s3, made, name)
    },
  })
}

/** @param restore whether changes made outside the stack are undone as well */
export function changesOf(cloud: CloudFormation, stack: Stack, target: Target, restore: boolean): Change[] {
  const resolver = resolverOf(cloud, stack, target)
  const wanted = Object.entries(target.template.Resources).filter(([, { Condition }]) => resolver.holds(Condition))
  const changes = wanted.flatMap(([id, { Type, Properties = {} }]): Change[] => {
    const made = stack.made.get(id)
    const properties = resolver.value(Properties) as Record<string, Json>
    const change = { id, type: Type, physical: made?.physical, policy: undefined }
    const drift = restore ? stack.drifts.get(id) : undefined
    if (made === undefined || drift === 'deleted')
      return [{ ...change, action: 'Add', replacement: undefined, properties: [] }]
    const names = [...new Set([...Object.keys(properties), ...Object.keys(made.properties)])]
    const differ = names.filter(
      (name) =>
        !same(properties[name], made.properties[name]) ||
        (typeof drift === 'object' && drift.some((path) => path.split('/')[1] === name)),
    )
    if (differ.length === 0) return []
    const each = differ.map((name) => replaces(Type, name))
    const replacement = each.includes('True') ? 'True' : each.includes('Conditional') ? 'Conditional' : 'False'
    return [{ ...change, action: 'Modify', replacement, properties: differ }]
  })
  const removed = [...stack.made].filter(([id]) => !wanted.some(([other]) => other === id))
  const removals = removed.map(([id, { type, physical, declared }]): Change => {
    const policy = declared.DeletionPolicy?.startsWith('Retain') ? 'Retain' : 'Delete'
    return { action: 'Remove', id, type, physical, replacement: undefined, properties: [], policy }
  })
  return [...changes, ...removals]
}

const FIRST = ['AWS::KMS::Key', 'AWS::S3::Bucket', 'AWS::IAM::Role', 'AWS::Athena::WorkGroup', 'AWS::Glue::Database']

/** What others refer to comes first, removals last. */
export function order(changes: readonly Change[], { Resources }: Template): Change[] {
  const depths = new Map<string, number>()
  const depthOf = (id: string): number => {
    const known = depths.get(id)
    if (known !== undefined) return known
    depths.set(id, 0)
    const text = JSON.stringify(Resources[id]?.Properties ?? {})
    const named = [...text.matchAll(/"Ref":"(\w+)"|"Fn::GetAtt":\["(\w+)"|\$\{(\w+)[.}]/g)]
    const others = named.flatMap(([, ...names]) => names.filter((name) => name !== undefined && name in Resources))
    const depth = Math.max(0, ...others.map((other) => 1 + depthOf(other)))
    depths.set(id, depth)
    return depth
  }
  const rank = ({ action, type, id }: Change): number => {
    if (action === 'Remove') return Number.POSITIVE_INFINITY
    const at = FIRST.indexOf(type)
    return 100 * depthOf(id) + (at < 0 ? 50 : at)
  }
  return changes
    .map((change) => ({ change, rank: rank(change) }))
    .sort(byRank)
    .map(({ change }) => change)
}

const byRank = (a: { rank: number }, b: { rank: number }): number => (a.rank === b.rank ? 0 : a.rank - b.rank)

/** The parameters of a request as the template declares them. @throws AwsError for one that does not fit */
export function parametersOf({ template }: Target, given: ReadonlyMap<string, string>): Record<string, string> {
  const declared = template.Parameters ?? {}
  const refuse = (message: string) => new AwsError('ValidationError', 400, message)
  const spare = [...given.keys()].filter((name) => declared[name] === undefined)
  if (spare.length > 0) throw refuse(`Parameters: [${spare.join(', ')}] do not exist in the template`)
  return Object.fromEntries(
    Object.entries(declared).map(([name, { Default, AllowedPattern, AllowedValues, MinValue, MaxValue }]) => {
      const value = given.get(name) ?? (Default === undefined ? undefined : String(Default))
      if (value === undefined) throw refuse(`Parameters: [${name}] must have values`)
      if (AllowedPattern !== undefined && !new RegExp(`^(?:${AllowedPattern})$`).test(value))
        throw refuse(`Parameter ${name} failed to satisfy constraint: must match pattern ${AllowedPattern}`)
      if (AllowedValues !== undefined && !AllowedValues.map(String).includes(value))
        throw refuse(`Parameter '${name}' must be one of AllowedValues`)
      if (Number(value) < (MinValue ?? -Infinity) || Number(value) > (MaxValue ?? Infinity))
        throw refuse(`Parameter '${name}' must be a number between ${MinValue} and ${MaxValue}`)
      return [name, value]
    }),
  )
}
