import { type AthenaClient, GetWorkGroupCommand } from '@aws-sdk/client-athena'
import { UserError } from '../../cli/errors.ts'
import { detailsOf, explained } from '../errors.ts'

/** What matters of a workgroup. */
export interface Workgroup {
  readonly name: string
  /** Its settings win over those of a query. */
  readonly enforced: boolean
  readonly outputLocation: string | undefined
  /** Athena keeps the results itself. */
  readonly managed: boolean
  /** Scanned bytes after which it cancels a query. */
  readonly cutoff: number | undefined
}

/** Whether a query says where its results go: not where the workgroup decides that. */
export const sendsLocation = ({ enforced, managed }: Workgroup): boolean => !enforced && !managed

/** Whether CTAS may name its place. An enforcing workgroup with a place of its own refuses that. */
export const namesLocation = ({ enforced, outputLocation }: Workgroup): boolean =>
  !enforced || outputLocation === undefined

/**
 * The workgroup as it is set up. Who may not look is taken to use one that decides nothing.
 * @throws UserError when there is none of this name, or it is switched off
 */
export async function readWorkgroup(
  client: AthenaClient,
  name: string,
  region: string,
  warn: (text: string) => void,
): Promise<Workgroup> {
  try {
    const { WorkGroup } = await client.send(new GetWorkGroupCommand({ WorkGroup: name }))
    if (WorkGroup?.State === 'DISABLED')
      throw new UserError(`Athena workgroup ${name} is switched off`, {
        hint: 'enable it, or name another --workgroup',
      })
    const configuration = WorkGroup?.Configuration
    return {
      name,
      enforced: configuration?.EnforceWorkGroupConfiguration ?? false,
      outputLocation: configuration?.ResultConfiguration?.OutputLocation,
      managed: configuration?.ManagedQueryResultsConfiguration?.Enabled ?? false,
      cutoff: configuration?.BytesScannedCutoffPerQuery,
    }
  } catch (error) {
    const { code, message } = detailsOf(error)
    if (code === 'InvalidRequestException')
      throw new UserError(`Athena has no workgroup ${name} in ${region}: ${message}`, {
        hint: 'name another --workgroup, or another --aws-region',
        exitCode: 2,
      })
    if (/AccessDenied/.test(code)) {
      warn(`athena:GetWorkGroup on ${name} is not allowed: taking it that the workgroup sets no place for results`)
      return { name, enforced: false, outputLocation: undefined, managed: false, cutoff: undefined }
    }
    throw explained(error, {
      what: `Athena workgroup ${name}`,
      action: 'athena:GetWorkGroup',
      resource: `arn:aws:athena:${region}:*:workgroup/${name}`,
    })
  }
}
