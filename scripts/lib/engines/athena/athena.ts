import type { Athena } from '../../aws/athena/athena.ts'
import { type AwsSettings, sleepOf } from '../../aws/settings.ts'
import { UsageError } from '../../cli/errors.ts'
import { number, parsed, text } from '../../cli/options.ts'
import { locationOf } from '../../stores/uri.ts'
import { checkName } from './sql.ts'

/** Options of whatever speaks to Athena. */
export const athenaOptions = {
  workgroup: text({ about: 'Athena workgroup, with a workspace in S3', value: 'NAME', default: 'primary' }),
  database: parsed({
    about: 'database of its tables',
    value: 'NAME',
    parse: checkName,
    default: 'prestage',
    defaultText: 'prestage',
  }),
  queryTimeout: number({ about: 'minutes that one query of Athena may take', default: 60, min: 1, max: 720 }),
}

interface AthenaWish extends AwsSettings {
  readonly workgroup: string
  readonly database: string
  /** Minutes. */
  readonly queryTimeout: number
}

interface Talk {
  readonly signal: AbortSignal
  warn(text: string): void
  onState(text: string): void
}

/**
 * Athena in the region of a workspace.
 * @param scratch `s3://…/` for results that nobody keeps
 * @throws UserError when the workgroup is not there or not usable
 */
export async function openAthena(wish: AthenaWish, scratch: string, talk: Talk): Promise<Athena> {
  const location = locationOf(scratch)
  if (location.kind !== 's3') throw new UsageError(`${scratch} is not in S3`)
  const { athenaClient, regionOf } = await import('../../aws/clients.ts')
  const { readWorkgroup } = await import('../../aws/athena/workgroup.ts')
  const { Athena } = await import('../../aws/athena/athena.ts')
  const region = await regionOf(wish, location.bucket)
  const client = await athenaClient(wish, region)
  const workgroup = await readWorkgroup(client, wish.workgroup, region, talk.warn)
  return new Athena({
    client,
    region,
    workgroup,
    database: wish.database,
    scratch,
    timeout: wish.queryTimeout * 60_000,
    signal: talk.signal,
    sleep: sleepOf(wish),
    onState: talk.onState,
  })
}
