import { Random } from '../lib/insights/random.ts'
import { iamId, ipv6Home, pick } from './identifiers.ts'

/** A principal of CloudTrail. */
export interface Person {
  /** The default entity: principal id without the session name; undefined where records have none. */
  readonly entity: string | undefined
  readonly account: string
  readonly userName: string
  /** The /64 at home of those who have IPv6, without the colons at its end. */
  readonly ipv6Home: string | undefined
  /** `userIdentity` as JSON, but for its closing brace; `since` is when the session was opened. */
  identity(random: Random, since: string): string
}

const FIRST = [
  'ana',
  'bo',
  'chen',
  'dara',
  'emre',
  'fay',
  'gul',
  'hana',
  'ivo',
  'jun',
  'kai',
  'lea',
  'mo',
  'nia',
] as const
const LAST = ['okafor', 'silva', 'novak', 'weber', 'tanaka', 'rossi', 'khan', 'larsen', 'diaz', 'moreau'] as const
const ROLES = ['deploy', 'audit', 'backup', 'support', 'analytics', 'OrganizationAccountAccessRole'] as const

/** The user with this number. The first of each account is its root, most are IAM users or roles, a few are of IAM Identity Center. */
export const personOf = (seed: number, user: number, accounts: readonly string[]): Person => ({
  ...identityOf(seed, user, accounts),
  ipv6Home: user % ONE_HAS_IPV6 === 7 ? ipv6Home(new Random(seed, 27, user)) : undefined,
})

/** Of so many people one has IPv6. */
const ONE_HAS_IPV6 = 20

type Identity = Omit<Person, 'ipv6Home'>

function identityOf(seed: number, user: number, accounts: readonly string[]): Identity {
  const random = new Random(seed, 11, user)
  const account = accounts[user % accounts.length] ?? '111122223333'
  if (user < accounts.length) return root(account, random)
  const kind = random.below(100)
  if (kind < 55) return iamUser(account, `${pick(random, FIRST)}.${pick(random, LAST)}${user}`, random)
  if (kind < 97) return role(account, `${pick(random, ROLES)}-${user}`, random)
  return identityCenterUser(account, `${pick(random, FIRST)}.${user}@example.com`, random)
}

function root(account: string, random: Random): Identity {
  const key = iamId('ASIA', random)
  return {
    entity: account,
    account,
    userName: 'root',
    identity: (_, since) =>
      `{"type":"Root","principalId":"${account}","arn":"arn:aws:iam::${account}:root","accountId":"${account}","accessKeyId":"${key}","sessionContext":{"sessionIssuer":{},"webIdFederationData":{},"attributes":{"creationDate":"${since}","mfaAuthenticated":"true"}}`,
  }
}

function iamUser(account: string, userName: string, random: Random): Identity {
  const [id, longTerm, shortTerm] = [iamId('AIDA', random), iamId('AKIA', random), iamId('ASIA', random)]
  const start = `{"type":"IAMUser","principalId":"${id}","arn":"arn:aws:iam::${account}:user/${userName}","accountId":"${account}"`
  const byKey = `${start},"accessKeyId":"${longTerm}","userName":"${userName}"`
  const byConsole = `${start},"accessKeyId":"${shortTerm}","userName":"${userName}","sessionContext":{"sessionIssuer":{},"webIdFederationData":{},"attributes":{"creationDate":"`
  return {
    entity: id,
    account,
    userName,
    identity: (draw, since) => (draw.uniform() < 0.7 ? byKey : `${byConsole}${since}","mfaAuthenticated":"true"}}`),
  }
}

/** Session names may hold `[\w+=,.@-]`: nothing that JSON escapes, but the dots and commas that split a CSV row. */
const sessionsOf = (user: string, random: Random): [string, ...string[]] => [
  `${pick(random, FIRST)}.${pick(random, LAST)}@example.com`,
  `botocore-session-${1_700_000_000 + random.below(90_000_000)}`,
  `i-0${iamId('', random).toLowerCase().slice(0, 16)}`,
  `team=blue,cost+center=${user}`,
  `aws-go-sdk-${random.uint32()}${random.uint32()}`,
]

function role(account: string, name: string, random: Random): Identity {
  const id = iamId('AROA', random)
  const sessions = sessionsOf(name.replace(/\D/g, ''), random)
  const key = iamId('ASIA', random)
  const start = `{"type":"AssumedRole","principalId":"${id}:`
  const middle = `","arn":"arn:aws:sts::${account}:assumed-role/${name}/`
  const end = `","accountId":"${account}","accessKeyId":"${key}","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"${id}","arn":"arn:aws:iam::${account}:role/${name}","accountId":"${account}","userName":"${name}"},"webIdFederationData":{},"attributes":{"creationDate":"`
  return {
    entity: id,
    account,
    userName: name,
    identity: (draw, since) => {
      const session = pick(draw, sessions)
      return `${start}${session}${middle}${session}${end}${since}","mfaAuthenticated":"false"}}`
    },
  }
}

/** Has neither principal id nor ARN: CloudTrail user guide, "userIdentity element". */
function identityCenterUser(account: string, userName: string, random: Random): Identity {
  const id = iamId('', random).toLowerCase()
  const identity = `{"type":"IdentityCenterUser","accountId":"${account}","onBehalfOf":{"userId":"${id}","identityStoreArn":"arn:aws:identitystore::${account}:identitystore/d-9067642ac7"},"credentialId":"${id}"`
  return { entity: undefined, account, userName, identity: () => identity }
}
