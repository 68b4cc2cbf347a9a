import { formatIpv4 } from '../lib/insights/ipv4.ts'
import { Random } from '../lib/insights/random.ts'
import { hex, ipv6Home, pick, uuid } from './identifiers.ts'
import { isoOf } from './log-file.ts'
import { type Access, type Call, oddityOf, type Parts } from './oddities.ts'

export const HOME_REGION = 'us-east-1'
/** How long a session lasts that a record may belong to, in seconds. */
const SESSION = 6 * 3600

/** A CloudTrail record as JSON; the same for the same seed and number. */
export function recordOf(seed: number, number: number, access: Access): string {
  const random = new Random(seed, 12, number)
  const { person, region, time } = access
  const call = callIn(random, region)
  const sessionStart = isoOf(Math.floor(time / SESSION) * SESSION)
  const parts: Parts = {
    identity: `${person.identity(random, sessionStart)}}`,
    sourceIp: access.ipv6 ?? formatIpv4(access.ip),
    agent: agentOf(random),
    call,
    type: 'AwsApiCall',
    more: `,"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"${call.source}.${region}.amazonaws.com"}`,
    error: '',
  }
  if (!access.plain) {
    parts.sourceIp = ipv6At(new Random(seed, 28, number), person) ?? parts.sourceIp
    oddityOf(random)?.change(parts, access, random)
  }
  return render(parts, access, random)
}

/** How often somebody with IPv6 uses it, and then from elsewhere. */
const [BY_IPV6, AWAY] = [0.3, 0.03] as const

/** From home as a rule, with a device that keeps its address, or one that changes it; some services write it out in full. */
function ipv6At(random: Random, { ipv6Home: home }: Access['person']): string | undefined {
  if (home === undefined || random.uniform() >= BY_IPV6) return undefined
  const network = random.uniform() < AWAY ? ipv6Home(random) : home
  const host = hex(random, 2)
  const ip =
    random.uniform() < 0.5
      ? `${network}::${1 + random.below(4)}`
      : `${network}:${host.replace(/^(.{4})(.{4}).*(.{4})$/, '$1:$2:0:$3')}`
  return random.uniform() < 0.1 ? ip.toUpperCase() : ip
}

/** Calls of global services are made everywhere and logged at home. */
function callIn(random: Random, region: string): Call {
  const call = pick(random, calls)
  return call.global && region !== HOME_REGION ? calls[0] : call
}

function render(parts: Parts, { person, region, time }: Access, random: Random): string {
  const { identity, call } = parts
  const [requestId, eventId] = [uuid(random), uuid(random)]
  return `{"eventVersion":"1.09",${identity === undefined ? '' : `"userIdentity":${identity},`}"eventTime":"${isoOf(time)}","eventSource":"${call.source}.amazonaws.com","eventName":"${call.name}","awsRegion":"${region}","sourceIPAddress":"${parts.sourceIp}","userAgent":"${parts.agent}",${parts.error}"requestParameters":${call.parameters(random)},"responseElements":${call.response?.(random) ?? 'null'},"requestID":"${requestId}","eventID":"${eventId}","readOnly":${call.writes !== true},"eventType":"${parts.type}","managementEvent":true,"recipientAccountId":"${person.account}","eventCategory":"Management"${parts.more}}`
}

const bucket = (random: Random): string => `data-${hex(random, 1)}`
const none = (): string => 'null'

/** What principals do all day, most of it reading. */
const calls: readonly [Call, ...Call[]] = [
  {
    source: 's3',
    name: 'GetBucketLocation',
    parameters: (r) => {
      const name = bucket(r)
      return `{"bucketName":"${name}","Host":"${name}.s3.amazonaws.com","location":""}`
    },
  },
  { source: 's3', name: 'ListBuckets', parameters: () => '{"Host":"s3.amazonaws.com"}' },
  {
    source: 'ec2',
    name: 'DescribeInstances',
    parameters: (r) =>
      `{"maxResults":1000,"instancesSet":{"items":[{"instanceId":"i-0${hex(r, 2)}"}]},"filterSet":{"items":[{"name":"instance-state-name","valueSet":{"items":[{"value":"running"}]}}]}}`,
  },
  {
    source: 'ec2',
    name: 'RunInstances',
    writes: true,
    parameters: (r) =>
      `{"instancesSet":{"items":[{"imageId":"ami-0${hex(r, 2)}","minCount":1,"maxCount":1}]},"instanceType":"m5.large","blockDeviceMapping":{},"monitoring":{"enabled":false},"clientToken":"${uuid(r)}"}`,
    response: (r) =>
      `{"requestId":"${uuid(r)}","reservationId":"r-0${hex(r, 2)}","groupSet":{},"instancesSet":{"items":[{"instanceId":"i-0${hex(r, 2)}","instanceState":{"code":0,"name":"pending"},"amiLaunchIndex":0}]}}`,
  },
  {
    source: 'kms',
    name: 'Decrypt',
    parameters: (r) =>
      `{"encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{"aws:s3:arn":"arn:aws:s3:::${bucket(r)}/part-${hex(r, 1)}.parquet"}}`,
  },
  {
    source: 'dynamodb',
    name: 'DescribeTable',
    parameters: (r) => `{"tableName":"orders-${hex(r, 1)}"}`,
  },
  {
    source: 'lambda',
    name: 'GetFunction20150331v2',
    parameters: (r) => `{"functionName":"handler-${hex(r, 1)}"}`,
  },
  {
    source: 'ssm',
    name: 'GetParameter',
    parameters: (r) => `{"name":"/app/${hex(r, 1)}/url","withDecryption":true}`,
  },
  {
    source: 'logs',
    name: 'DescribeLogStreams',
    parameters: (r) => `{"logGroupName":"/aws/lambda/handler-${hex(r, 1)}","limit":50,"descending":true}`,
  },
  {
    source: 'sts',
    name: 'AssumeRole',
    global: true,
    parameters: (r) =>
      `{"roleArn":"arn:aws:iam::111122223333:role/deploy-${hex(r, 1)}","roleSessionName":"s-${hex(r, 1)}","durationSeconds":3600}`,
    response: (r) =>
      `{"credentials":{"accessKeyId":"ASIA${hex(r, 2).toUpperCase()}","sessionToken":"IQoJb3JpZ2luX2Vj${hex(r, 6)}","expiration":"Mar 2, 2026, 1:00:00 AM"}}`,
  },
  { source: 'sts', name: 'GetCallerIdentity', global: true, parameters: none },
  { source: 'iam', name: 'ListRoles', global: true, parameters: () => '{"maxItems":1000}' },
]

const agents: readonly [string, ...string[]] = [
  'Boto3/1.34.51 md/Botocore#1.34.51 ua/2.0 os/linux#6.1.0 md/arch#x86_64 lang/python#3.11.8 md/pyimpl#CPython cfg/retry-mode#standard Botocore/1.34.51',
  'aws-cli/2.15.30 Python/3.11.8 Linux/6.5.0 exe/x86_64.ubuntu.22 prompt/off command/s3.ls',
  'APN/1.0 HashiCorp/1.0 Terraform/1.7.4 (+https://www.terraform.io) terraform-provider-aws/5.39.1 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.25.2 os/linux lang/go#1.21.6',
  '[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.488 Linux/5.10.184 OpenJDK_64-Bit_Server_VM/25.372-b08 java/1.8.0_372 vendor/Oracle_Corporation cfg/retry-mode/standard]',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0.0.0 Safari/537.36',
]
const agentOf = (random: Random): string => pick(random, agents)
