import { md5 } from '../http.ts'
import type { Entry } from './stored.ts'
import { gzipOfSize, hashOf } from './virtual.ts'

const EVENTS = 3

const isoTime = (day: string, minutes: string, seconds: number): Date =>
  new Date(
    Date.parse(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T${minutes.slice(0, 2)}:${minutes.slice(2)}:00Z`) +
      seconds * 1000,
  )

const uuid = (text: string): string => md5(text).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

const address = (user: number, nth: number): string => `198.51.${user % 100}.${1 + ((user * 7 + nth) % 5)}`

function cloudTrailEvent(key: string, nth: number): object {
  const [, account = '', region = '', day = '', hm = ''] =
    /(\d+)_CloudTrail_([a-z0-9-]+)_(\d{8})T(\d{4})Z/.exec(key) ?? []
  const user = hashOf(`${key} ${nth}`) % 50
  const name = `user-${user}`
  return {
    eventVersion: '1.11',
    userIdentity: {
      type: 'IAMUser',
      principalId: `AIDA${md5(name).slice(0, 17).toUpperCase()}`,
      arn: `arn:aws:iam::${account}:user/${name}`,
      accountId: account,
      userName: name,
    },
    // The key says when the file was delivered: its events are older.
    eventTime: isoTime(day, hm, -240 + nth * 60)
      .toISOString()
      .replace('.000', ''),
    eventSource: 's3.amazonaws.com',
    eventName: 'ListBuckets',
    awsRegion: region,
    sourceIPAddress: address(user, nth),
    userAgent: 'aws-cli/2.30',
    eventID: uuid(`${key} ${nth}`),
    eventType: 'AwsApiCall',
    recipientAccountId: account,
  }
}

function wafEvent(key: string, nth: number): object {
  const [, account = '', region = '', day = '', hm = ''] =
    /(\d+)_waflogs_([a-z0-9-]+)_.*_(\d{8})T(\d{4})Z/.exec(key) ?? []
  const user = hashOf(`${key} ${nth}`) % 50
  return {
    timestamp: isoTime(day, hm, nth * 60).getTime(),
    formatVersion: 1,
    webaclId: `arn:aws:wafv2:${region}:${account}:regional/webacl/front-door/${uuid(region)}`,
    action: 'ALLOW',
    httpRequest: {
      clientIp: address(user, nth),
      country: 'US',
      headers: [{ name: 'User-Agent', value: `agent-${user}` }],
      uri: '/',
      httpMethod: 'GET',
    },
  }
}

/** The bytes of an object of virtual logs: a gzip file of its size with a few events that fit its key. */
export function virtualBytes({ key, size }: Entry): Buffer {
  const nths = Array.from({ length: EVENTS }, (_, i) => i)
  if (key.includes('/CloudTrail/'))
    return gzipOfSize(JSON.stringify({ Records: nths.map((nth) => cloudTrailEvent(key, nth)) }), size)
  if (key.includes('/WAFLogs/'))
    return gzipOfSize(nths.map((nth) => JSON.stringify(wafEvent(key, nth))).join('\n'), size)
  return gzipOfSize(key, size)
}
