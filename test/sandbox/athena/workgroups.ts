import { invalid } from './errors.ts'
import type { WorkgroupSettings } from './settings.ts'
import type { Statement } from './statement.ts'

type Workgroups = Readonly<Record<string, WorkgroupSettings>>

/** @throws AwsError when there is none of this name */
export function workgroupOf(workgroups: Workgroups, name: string): WorkgroupSettings {
  const found = Object.hasOwn(workgroups, name) ? workgroups[name] : undefined
  if (found === undefined) throw invalid('WorkGroup is not found.')
  return found
}

/** The answer of GetWorkGroup. */
export function workgroupAnswer(workgroups: Workgroups, name: string, created: number) {
  const { enforced = false, outputLocation, managed = false, cutoff, state = 'ENABLED' } = workgroupOf(workgroups, name)
  return {
    WorkGroup: {
      Name: name,
      State: state,
      Configuration: {
        ResultConfiguration: outputLocation === undefined ? {} : { OutputLocation: outputLocation },
        ManagedQueryResultsConfiguration: { Enabled: managed },
        EnforceWorkGroupConfiguration: enforced,
        PublishCloudWatchMetricsEnabled: true,
        ...(cutoff !== undefined && { BytesScannedCutoffPerQuery: cutoff }),
        RequesterPaysEnabled: false,
        EngineVersion: { SelectedEngineVersion: 'AUTO', EffectiveEngineVersion: 'Athena engine version 3' },
      },
      Description: '',
      CreationTime: created,
    },
  }
}

const IN_S3 = /^s3:\/\/[a-z0-9.-]+(\/.*)?$/

const slashed = (place: string): string => (place.endsWith('/') ? place : `${place}/`)

/**
 * Where results go, with a slash at its end; undefined when Athena manages them.
 * @param asked the OutputLocation of the request
 * @throws AwsError when there is no place, or a statement asks for what the workgroup does not allow
 */
export function outputOf(
  group: WorkgroupSettings,
  statement: Statement,
  asked: string | undefined,
): string | undefined {
  const { enforced = false, outputLocation, managed = false } = group
  const external = statement.kind === 'ctas' ? statement.properties.external_location : undefined
  if (enforced && outputLocation !== undefined && external !== undefined)
    throw invalid(
      "The Create Table As Select query failed because it was submitted with an 'external_location' property to an Athena Workgroup that enforces a centralized output location for all queries. Please remove the 'external_location' property and resubmit the query.",
    )
  if (managed) {
    if (asked !== undefined)
      throw invalid('ResultConfiguration cannot be specified when managed query results are enabled for the workgroup.')
    if (statement.kind === 'ctas' && external === undefined)
      throw invalid('external_location is required for CTAS when managed query results are enabled for the workgroup.')
    return undefined
  }
  const place = enforced ? (outputLocation ?? asked) : (asked ?? outputLocation)
  if (place === undefined)
    throw invalid(
      // Two blanks after "for": AWS's.
      'No output location provided. You did not provide an output location for  your query results. Either specify an S3 bucket location or enable Athena managed query results in your workgroup settings.',
    )
  if (!IN_S3.test(place)) throw invalid('outputLocation is not a valid S3 path.')
  return slashed(place)
}
