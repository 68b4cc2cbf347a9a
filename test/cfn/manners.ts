import type { Json, Members, Template } from '../sandbox/cloudformation/template.ts'

const LISTENS = /^AWS::(EC2|ElasticLoadBalancing|ApiGateway|AppRunner|CloudFront|Route53)|^AWS::Lambda::Url$/

/** What listens on a network, or lets somebody in. */
export function networkFaults({ Resources }: Template): string[] {
  return Object.entries(Resources).flatMap(([id, { Type, Properties = {} }]) => [
    ...(LISTENS.test(Type) ? [`${id} is a ${Type}`] : []),
    ...(/"[A-Za-z]*Ingress/.test(JSON.stringify(Properties)) ? [`${id} has an inbound rule`] : []),
  ])
}

/** What a bucket of a template leaves open. */
export function bucketFaults({ Resources }: Template): string[] {
  return Object.entries(Resources).flatMap(([id, { Type, Properties = {}, DeletionPolicy }]) => {
    if (Type !== 'AWS::S3::Bucket') return []
    const blocked = (Properties.PublicAccessBlockConfiguration ?? {}) as Members
    const rules = ((Properties.LifecycleConfiguration as Members | undefined)?.Rules ?? []) as Members[]
    const faults = [
      Properties.BucketEncryption === undefined && 'is not encrypted',
      ['BlockPublicAcls', 'BlockPublicPolicy', 'IgnorePublicAcls', 'RestrictPublicBuckets'].some(
        (name) => blocked[name] !== true,
      ) && 'may be made public',
      !isTlsOnly(Resources, id) && 'may be asked without TLS',
      !rules.some((rule) => rule.AbortIncompleteMultipartUpload !== undefined) && 'keeps interrupted uploads',
      !rules.some((rule) => rule.ExpirationInDays !== undefined) && 'keeps everything for ever',
      DeletionPolicy !== 'RetainExceptOnCreate' && 'goes with its stack',
    ]
    return faults.filter((fault) => fault !== false).map((fault) => `${id} ${fault}`)
  })
}

const isTlsOnly = (resources: Template['Resources'], bucket: string): boolean =>
  Object.values(resources).some(({ Type, Properties = {} }) => {
    if (Type !== 'AWS::S3::BucketPolicy' || JSON.stringify(Properties.Bucket) !== `{"Ref":"${bucket}"}`) return false
    const { Statement = [] } = (Properties.PolicyDocument ?? {}) as { Statement?: Json }
    return ([Statement].flat() as Members[]).some(
      ({ Effect, Principal, Condition }) =>
        Effect === 'Deny' &&
        Principal === '*' &&
        JSON.stringify(Condition ?? null) === '{"Bool":{"aws:SecureTransport":"false"}}',
    )
  })
