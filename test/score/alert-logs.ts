import { readFileSync } from 'node:fs'
import { decodeEntity } from '../../scripts/lib/insights/entity-codec.ts'
import type { Run } from '../../scripts/lib/runs/run.ts'

const ACL = 'arn:aws:wafv2:us-east-1:111122223333:regional/webacl/shop/0a1b'

/** Where AWS WAF puts what it logs at a time. */
export const wafKey = (time: Date): string => {
  const [day, minute] = [time.toISOString().slice(0, 10), time.toISOString().slice(11, 16)]
  const stamp = `${day.replaceAll('-', '')}T${minute.replace(':', '')}Z`
  return `AWSLogs/111122223333/WAFLogs/us-east-1/shop/${day.replaceAll('-', '/')}/${minute.replace(':', '/')}/111122223333_waflogs_us-east-1_shop_${stamp}_ab12.log`
}

interface Request {
  readonly entity: string
  readonly ip: string
  readonly time: number
  readonly uri?: string
  readonly action?: string
}

export const wafRecord = ({ entity, ip, time, uri = '/', action = 'ALLOW' }: Request): string =>
  JSON.stringify({
    timestamp: time,
    webaclId: ACL,
    action,
    terminatingRuleId: 'Default_Action',
    httpSourceId: 'shop',
    httpRequest: {
      clientIp: ip,
      country: 'CH',
      requestId: `${time}-${ip}`,
      httpMethod: 'GET',
      uri,
      headers: [
        { name: 'Host', value: 'shop.example' },
        { name: 'user-agent', value: entity },
      ],
    },
  })

const HOUR = 3_600_000

/** Log files with the accesses that are the holdout of `trainedRun`, spread over eleven hours, and others that are not judged beside them. */
export function logsOfHoldout(run: Run): Map<string, string> {
  const rows = readFileSync(run.path('pairs/holdout/part-0.csv'), 'utf8').trimEnd().split('\n')
  const { from } = run.holdout()
  const files = new Map<string, string>()
  for (let hour = 0; hour < 11; hour++) {
    const at = new Date(from.getTime() + hour * HOUR)
    const records = rows.flatMap((row, i) => {
      const [entity = '', ip = ''] = row.split(',')
      const seen = { entity: decodeEntity(entity), ip, time: at.getTime() + i }
      // Not judged is what is too early, another entity at the same address, and the same one elsewhere.
      return i % 11 === hour
        ? [
            wafRecord({ ...seen, uri: `/${i % 9}`, action: i % 2 === 0 ? 'ALLOW' : 'BLOCK' }),
            wafRecord({ ...seen, time: from.getTime() - 1 - i }),
            wafRecord({ ...seen, entity: `${seen.entity}.` }),
            wafRecord({ ...seen, ip: '192.0.2.1' }),
          ]
        : []
    })
    files.set(wafKey(at), `${records.join('\n')}\n`)
  }
  return files
}
