import { shortened, spelledOut } from '../../lib/cli/format.ts'
import { type Details, valuesOf } from '../../lib/runs/alerts.ts'
import type { About, Finding } from './finding.ts'

/** The entity in the terms of the finding formats. */
export interface Who {
  /** Security Hub's type of resource. */
  readonly type: string
  /** ARN or other id; printable, at most 512 bytes. */
  readonly id: string
  /** ASFF `Resource.Details`. */
  readonly details: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Kind of observable in OCSF. */
  readonly observable: { readonly id: number; readonly name: string }
  /** OCSF `actor.user`, where the entity is one. */
  readonly user?: User
}

interface User {
  readonly uid?: string
  readonly name?: string
  /** AWS user: the ARN beside the id, or the reverse. */
  readonly uid_alt?: string
  readonly credential_uid?: string
  readonly account?: { readonly uid: string }
}

const ID_BYTES = 512
/** Longest name of a user or role: "IAM and STS quotas", IAM user guide. */
const IAM_NAME_BYTES = 64
const DETAIL_BYTES = 1024

/** Unique ids: "IAM identifiers", IAM user guide. */
const UNIQUE = { user: /^AIDA[A-Z0-9]+$/, role: /^AROA[A-Z0-9]+(:|$)/ }

/** How findings name an entity: by its own text, and by what the logs say about it. */
export function whoIs({ entity, details }: Pick<Finding, 'entity' | 'details'>, { kind }: Pick<About, 'kind'>): Who {
  const name = shortened(spelledOut(entity), DETAIL_BYTES)
  const resource = withDetails(resourceOf(entity, kind), details)
  const [uid_alt, account] = [firstOf(details, 'arn'), firstOf(details, 'account')]
  const known = {
    ...(account !== undefined && { account: { uid: account } }),
    ...(firstOf(details, 'credential')?.match(/^A[KS]IA/) && { credential_uid: firstOf(details, 'credential') ?? '' }),
  }
  if (kind === 'user-name')
    return { ...resource, user: { name, ...(uid_alt !== undefined && { uid: uid_alt }), ...known } }
  if (!kind.startsWith('principal') && kind !== 'arn') return resource
  const userName = firstOf(details, 'name')
  const alias = kind === 'arn' || uid_alt === undefined ? {} : { uid_alt }
  return { ...resource, user: { uid: name, ...(userName !== undefined && { name: userName }), ...alias, ...known } }
}

/** The most frequent value of an aspect, safe to show. */
const firstOf = (details: Details | undefined, aspect: string): string | undefined =>
  valuesOf(details, aspect)
    .slice(0, 1)
    .filter((value) => value !== '')
    .map((value) => shortened(spelledOut(value), DETAIL_BYTES))[0]

/** A resource with its name and ARN. The id of a user becomes its ARN; a role has that of each session, which is not its own. */
function withDetails(resource: Who, details: Details | undefined): Who {
  const [name, arn] = [firstOf(details, 'name'), firstOf(details, 'arn')]
  const named = (field: string) => (name === undefined ? {} : { [field]: shortened(name, IAM_NAME_BYTES) })
  const { AwsIamUser: user, AwsIamRole: role } = resource.details
  if (user !== undefined)
    return {
      ...resource,
      id: arn !== undefined && /^arn:aws[\w-]*:iam::\d{12}:user\//.test(arn) ? shortened(arn, ID_BYTES) : resource.id,
      details: { ...resource.details, AwsIamUser: { ...user, ...named('UserName') } },
    }
  if (role !== undefined)
    return { ...resource, details: { ...resource.details, AwsIamRole: { ...role, ...named('RoleName') } } }
  return resource
}

function resourceOf(entity: string, kind: string): Who {
  const text = spelledOut(entity)
  const id = shortened(text, ID_BYTES)
  const detail = shortened(text, DETAIL_BYTES)
  const observable = OBSERVABLES[kind] ?? { id: 99, name: kind }
  const other: Who = {
    type: 'Other',
    id: shortened(`${kind}/${text}`, ID_BYTES),
    details: { Other: { [kind]: detail } },
    observable,
  }
  switch (kind) {
    case 'principal':
    case 'principal-session':
      if (UNIQUE.user.test(entity))
        return { type: 'AwsIamUser', id, details: { AwsIamUser: { UserId: detail } }, observable }
      if (UNIQUE.role.test(entity))
        return { type: 'AwsIamRole', id, details: { AwsIamRole: { RoleId: detail.split(':')[0] ?? '' } }, observable }
      return other
    case 'arn':
      if (/^arn:aws[\w-]*:iam::\d{12}:user\//.test(entity)) return { ...other, type: 'AwsIamUser', id }
      if (/^arn:aws[\w-]*:(iam|sts)::\d{12}:(role|assumed-role)\//.test(entity))
        return { ...other, type: 'AwsIamRole', id }
      return /^arn:/.test(entity) ? { ...other, id } : other
    case 'access-key':
      return {
        ...other,
        type: 'AwsIamAccessKey',
        id: shortened(`AWS::IAM::AccessKey:${text}`, ID_BYTES),
        details: { AwsIamAccessKey: { AccessKeyId: detail } },
      }
    case 'account':
      return { ...other, type: 'AwsAccount', id: shortened(`AWS::::Account:${text}`, ID_BYTES) }
    default:
      return other
  }
}

/** `type_id` of observables, OCSF 1.3.0. */
const OBSERVABLES: Readonly<Record<string, Who['observable']>> = {
  principal: { id: 10, name: 'Resource UID' },
  'principal-session': { id: 10, name: 'Resource UID' },
  arn: { id: 10, name: 'Resource UID' },
  'user-name': { id: 4, name: 'User Name' },
  'access-key': { id: 19, name: 'User Credential ID' },
  'user-agent': { id: 16, name: 'HTTP User-Agent' },
  host: { id: 1, name: 'Hostname' },
  country: { id: 14, name: 'Country' },
}
