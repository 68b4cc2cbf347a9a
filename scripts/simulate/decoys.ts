import { Random } from '../lib/insights/random.ts'
import { hex, tailOf, uuid } from './identifiers.ts'
import { compactOf, isoOf, type LogFile } from './log-file.ts'
import { type Branch, branchesOf, type Trail } from './trail.ts'
import { folderOf, ORGANIZATION } from './trail-files.ts'

const DAY = 86_400

/** What lies beside the logs of a trail and must never be taken for them: a file of each kind a day, of the first account. */
export function* decoys(trail: Trail): Generator<LogFile> {
  const [branch] = branchesOf(trail)
  if (branch === undefined) return
  const random = new Random(trail.seed, 18)
  for (let time = trail.begin + DAY / 2; time < trail.end; time += DAY)
    for (const neighbour of Object.entries(neighbours)) yield decoy(branch, neighbour, time, random)
  // CloudTrail writes empty objects in place of folders.
  yield { key: `AWSLogs/${ORGANIZATION}/${branch.account}/CloudTrail-Digest/`, content: () => Buffer.alloc(0) }
}

type Record = (branch: Branch, time: number, random: Random) => object

const neighbours: Readonly<{ [service: string]: Record }> = {
  'CloudTrail-Insight': ({ account, region }, time, random) => ({
    eventVersion: '1.09',
    eventTime: isoOf(time),
    awsRegion: region,
    eventID: uuid(random),
    eventType: 'AwsCloudTrailInsight',
    recipientAccountId: account,
    sharedEventID: uuid(random),
    insightDetails: {
      state: 'Start',
      eventSource: 'ec2.amazonaws.com',
      eventName: 'RunInstances',
      insightType: 'ApiCallRateInsight',
    },
    eventCategory: 'Insight',
  }),
  'CloudTrail-NetworkActivity': ({ account, region }, time, random) => ({
    eventVersion: '1.09',
    userIdentity: { type: 'AWSAccount', principalId: 'AROADECOYDECOYDECOYDE:decoy', accountId: account },
    eventTime: isoOf(time),
    eventSource: 'kms.amazonaws.com',
    eventName: 'Decrypt',
    awsRegion: region,
    sourceIPAddress: '8.8.4.4',
    eventID: uuid(random),
    eventType: 'AwsVpceEvent',
    recipientAccountId: account,
    vpcEndpointId: `vpce-0${hex(random, 2)}`,
    eventCategory: 'NetworkActivity',
  }),
  'CloudTrail-Aggregated': ({ account, region }, time, random) => ({
    eventVersion: '1.0',
    accountId: account,
    eventID: uuid(random),
    eventCategory: 'Aggregated',
    eventType: 'AwsAggregatedEvent',
    awsRegion: region,
    timeWindow: { windowStart: isoOf(time - 300), windowEnd: isoOf(time), windowSize: 'PT5M' },
  }),
  Config: ({ account, region }, time) => ({
    awsAccountId: account,
    awsRegion: region,
    resourceType: 'AWS::EC2::Instance',
    configurationItemCaptureTime: isoOf(time),
  }),
}

function decoy(branch: Branch, [service, record]: [string, Record], time: number, random: Random): LogFile {
  const { account, region } = branch
  const [made, tail] = [record(branch, time, random), tailOf(random)]
  if (service !== 'Config')
    return {
      key: `${folderOf(branch, service, time)}${account}_${service}_${region}_${compactOf(time).slice(0, 13)}Z_${tail}.json.gz`,
      content: () => Buffer.from(JSON.stringify({ Records: [made] })),
    }
  // Config writes its days without zeros, and colons into its names.
  const unpadded = isoOf(time).slice(0, 10).split('-').map(Number).join('/')
  return {
    key: `AWSLogs/${account}/Config/${region}/${unpadded}/ConfigHistory/${account}_Config_${region}_ConfigHistory_AWS::EC2::Instance_${compactOf(time)}_${compactOf(time + 60)}_1.json.gz`,
    content: () => Buffer.from(JSON.stringify({ fileVersion: '1.0', configurationItems: [made] })),
  }
}
