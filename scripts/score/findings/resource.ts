import { shortened, spelledOut } from '../../lib/cli/format.ts'
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
  readonly user?: { readonly uid: string } | { readonly name: string }
}

const ID_BYTES = 512
const DETAIL_BYTES = 1024

/** Unique ids: "IAM identifiers", IAM user guide. */
const UNIQUE = { user: /^AIDA[A-Z0-9]+$/, role: /^AROA[A-Z0-9]+(:|$)/ }

/** How findings name an entity. They say nothing about it that its own text does not say. */
export function whoIs({ entity }: Pick<Finding, 'entity'>, { kind }: Pick<About, 'kind'>): Who {
  const name = shortened(spelledOut(entity), DETAIL_BYTES)
  if (kind === 'user-name') return { ...resourceOf(entity, kind), user: { name } }
  return kind.startsWith('principal') || kind === 'arn'
    ? { ...resourceOf(entity, kind), user: { uid: name } }
    : resourceOf(entity, kind)
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
