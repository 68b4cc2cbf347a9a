import { Random } from '../lib/insights/random.ts'
import { hex, iamId, pick } from './identifiers.ts'
import type { Person } from './people.ts'

/** One access, ready to be written. */
export interface Access {
  readonly ip: number
  /** In place of it, where somebody uses IPv6. */
  readonly ipv6?: string
  /** Seconds since 1970. */
  readonly time: number
  readonly person: Person
  readonly region: string
  /** Without any oddity: attacks and accesses at the edges must become pairs. */
  readonly plain: boolean
}

/** What varies between kinds of records; JSON fragments. */
export interface Parts {
  /** Absent: the record has none at all. */
  identity: string | undefined
  sourceIp: string
  agent: string
  call: Call
  type: string
  /** Members after `eventCategory`. */
  more: string
  error: string
}

/** An API call as CloudTrail records it, in JSON. */
export interface Call {
  readonly source: string
  readonly name: string
  /** Absent: it only reads. */
  readonly writes?: true
  /** Logged in us-east-1 whatever region the caller is in. */
  readonly global?: true
  parameters(random: Random): string
  response?(random: Random): string
}

/** A kind of record that is not a plain access by a principal from a public address. */
interface Oddity {
  readonly about: string
  /** Of a thousand records. */
  readonly share: number
  change(parts: Parts, access: Access, random: Random): void
}

const SERVICES = ['cloudformation', 'secretsmanager', 'config', 'autoscaling', 'lambda'] as const
const service = (random: Random): string => `${pick(random, SERVICES)}.amazonaws.com`

/** One of a few outsiders, who come again and again. */
const stranger = (random: Random): Random => new Random(19, random.below(5))

/** A service makes the call: the address is the service's. @param identity JSON; default: the principal, in whose name it calls */
function invokedBy(
  parts: Parts,
  name: string,
  identity = parts.identity?.replace(/\}$/, `,"invokedBy":"${name}"}`),
): void {
  Object.assign(parts, { identity, sourceIp: name, agent: name, more: '' })
}

/** All of them occur in real logs. AWS documents some in its user guide, "CloudTrail userIdentity element". */
export const oddities: readonly Oddity[] = [
  { about: 'AWS Internal', share: 20, change: (parts) => invokedBy(parts, 'AWS Internal') },
  { about: 'call forwarded by a service', share: 20, change: (parts, _, random) => invokedBy(parts, service(random)) },
  {
    about: 'private address, through a VPC endpoint',
    share: 10,
    change: (parts, { person }, random) => {
      const bytes = [random.below(256), random.below(256)]
      parts.sourceIp = pick(random, [
        `10.${bytes.join('.')}.7`,
        `172.16.${bytes.join('.')}`,
        `192.168.${bytes.join('.')}`,
      ])
      parts.more += `,"vpcEndpointId":"vpce-0${hex(random, 2)}","vpcEndpointAccountId":"${person.account}"`
    },
  },
  {
    about: 'AWS service event: no type, no principal',
    share: 10,
    change: (parts, { person }, random) => {
      const name = service(random)
      invokedBy(parts, name, `{"accountId":"${person.account}","invokedBy":"${name}"}`)
      parts.type = 'AwsServiceEvent'
      parts.more = ',"serviceEventDetails":{"state":"completed"}'
    },
  },
  {
    about: 'call of an AWS service',
    share: 10,
    change: (parts, _, random) => {
      const name = service(random)
      invokedBy(parts, name, `{"type":"AWSService","invokedBy":"${name}"}`)
    },
  },
  {
    about: 'no principal id',
    share: 3,
    change: (parts) => {
      parts.identity = parts.identity?.replace(/"principalId":"[^"]*",/, '')
    },
  },
  {
    about: 'no ARN',
    share: 3,
    change: (parts) => {
      parts.identity = parts.identity?.replace(/"arn":"[^"]*",/, '')
    },
  },
  {
    about: 'no userIdentity',
    share: 1,
    change: (parts) => {
      parts.identity = undefined
    },
  },
  {
    about: 'somebody of another account',
    share: 3,
    change: (parts, _, random) => {
      parts.identity = `{"type":"AWSAccount","principalId":"${iamId('AROA', stranger(random))}:other.account@example.com","accountId":"444455556666"}`
    },
  },
  {
    about: 'federated user',
    share: 3,
    change: (parts, { person }, random) => {
      const { account } = person
      const name = `guest${random.below(9)}`
      parts.identity = `{"type":"FederatedUser","principalId":"${account}:${name}","arn":"arn:aws:sts::${account}:federated-user/${name}","accountId":"${account}","accessKeyId":"${iamId('ASIA', random)}"}`
    },
  },
  {
    about: 'web identity',
    share: 3,
    change: (parts, { person }, random) => {
      const repository = `repo:example/app${random.below(9)}:ref:refs/heads/main`
      parts.identity = `{"type":"WebIdentityUser","principalId":"arn:aws:iam::${person.account}:oidc-provider/token.actions.githubusercontent.com:sts.amazonaws.com:${repository}","userName":"${repository}","identityProvider":"arn:aws:iam::${person.account}:oidc-provider/token.actions.githubusercontent.com"}`
    },
  },
  {
    about: 'SAML identity',
    share: 2,
    change: (parts, _, random) => {
      const provider = hex(stranger(random), 5)
      const name = `jan.${random.below(9)}@example.com`
      parts.identity = `{"type":"SAMLUser","principalId":"${provider}=:${name}","userName":"${name}","identityProvider":"${provider}="}`
    },
  },
  {
    about: 'denied',
    share: 30,
    change: (parts, { person }) => {
      parts.error = `"errorCode":"AccessDenied","errorMessage":"User: ${person.userName} is not authorized to perform: ${parts.call.source}:${parts.call.name} because no identity-based policy allows the action",`
    },
  },
  {
    about: 'console sign-in',
    share: 8,
    change: (parts, { region }) => {
      parts.type = 'AwsConsoleSignIn'
      parts.call = {
        source: 'signin',
        name: 'ConsoleLogin',
        writes: true,
        parameters: () => 'null',
        response: () => '{"ConsoleLogin":"Success"}',
      }
      parts.more = `,"additionalEventData":{"LoginTo":"https://console.aws.amazon.com/console/home?region=${region}","MobileVersion":"No","MFAUsed":"Yes"}${parts.more}`
    },
  },
  {
    about: 'address with a leading zero',
    share: 1,
    change: (parts) => {
      parts.sourceIp = parts.sourceIp.replace(/\.(\d)$/, '.0$1')
    },
  },
]

/** The oddity of a record, if it has one. */
export function oddityOf(random: Random): Oddity | undefined {
  let left = random.uniform() * 1000
  return oddities.find(({ share }) => {
    left -= share
    return left < 0
  })
}
