import type { Athena } from '../../aws/athena/athena.ts'
import { type AwsSettings, sleepOf } from '../../aws/settings.ts'
import { UsageError } from '../../cli/errors.ts'
import { number, parsed, text } from '../../cli/options.ts'
import { locationOf } from '../../stores/uri.ts'
import { checkName } from './sql.ts'

/** Options of every command that uses Athena. */
export const athenaOptions = {
  workgroup: text({ about: 'Athena workgroup, with a workspace in S3', value: 'NAME', default: 'primary' }),
  database: parsed({
    about: 'Athena database of the tables',
    value: 'NAME',
    parse: checkName,
    default: 'prestage',
    defaultText: 'prestage',
  }),
  queryTimeout: number({ about: 'minutes that one Athena query may take', default: 60, min: 1, max: 720 }),
}

interface AthenaOptions extends AwsSettings {
  readonly workgroup: string
  readonly database: string
  /** Minutes. */
  readonly queryTimeout: number
}

interface Hooks {
  readonly signal: AbortSignal
  warn(text: string): void
  onState(text: string): void
}

/**
 * Opens Athena in the region of a workspace.
 * @param scratch `s3://…/` for results that are not kept
 * @throws UserError when the workgroup does not exist or cannot be used
 */
export async function openAthena(options: AthenaOptions, scratch: string, hooks: Hooks): Promise<Athena> {
  const location = locationOf(scratch)
  if (location.kind !== 's3') throw new UsageError(`${scratch} is not in S3`)
  const { athenaClient, regionOf } = await import('../../aws/clients.ts')
  const { readWorkgroup } = await import('../../aws/athena/workgroup.ts')
  const { Athena } = await import('../../aws/athena/athena.ts')
  const region = await regionOf(options, location.bucket)
  const client = await athenaClient(options, region)
  const workgroup = await readWorkgroup(client, options.workgroup, region, hooks.warn)
  return new Athena({
    client,
    region,
    workgroup,
    database: options.database,
    scratch,
    timeout: options.queryTimeout * 60_000,
    signal: hooks.signal,
    sleep: sleepOf(options),
    onState: hooks.onState,
  })
}
