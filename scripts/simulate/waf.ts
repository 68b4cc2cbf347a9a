import { accountIds, hex } from './identifiers.ts'
import { compactOf, isoOf, type Simulated } from './log-file.ts'
import type { Settings } from './settings.ts'
import { simulateSite } from './site.ts'
import { requestRecord, type WebAcl } from './waf-record.ts'

/** The logs of a few web ACLs, sent straight to S3. */
export function simulateWaf(settings: Settings): Simulated {
  const { seed } = settings
  const [first = '', second = first] = accountIds(settings.accounts, seed)
  return simulateSite<WebAcl>(settings, {
    source: 'waf',
    salt: 7919,
    places: [
      { account: first, region: 'cloudfront', name: 'shop_front-acl', host: 'shop.example.com' },
      { account: first, region: 'us-east-1', name: 'api-acl', host: 'api.example.com' },
      { account: second, region: 'eu-west-1', name: 'intern_acl', host: 'intern.example.com' },
    ],
    step: 300,
    again: 1,
    recordBytes: 1270,
    entityOf: ({ agent }) => agent,
    keyOf: ({ account, region, name }, time, random) =>
      `AWSLogs/${account}/WAFLogs/${region}/${name}/${isoOf(time).slice(0, 16).replace(/[-T:]/g, '/')}/${account}_waflogs_${region}_${name}_${compactOf(time).slice(0, 13)}Z_${hex(random, 1)}.log.gz`,
    recordOf: (number, request) => requestRecord(seed, number, request),
  })
}
