import { setTimeout } from 'node:timers/promises'
import type { Host } from '../cli/host.ts'

/** How AWS is reached; credentials come from the SDK's own chain. */
export interface AwsSettings {
  readonly profile?: string | undefined
  readonly awsRegion?: string | undefined
  readonly endpointUrl?: string | undefined
  /** Pay for the requests to somebody else's bucket. */
  readonly requesterPays?: boolean | undefined
  /** The account that must own the bucket. */
  readonly expectedBucketOwner?: string | undefined
  /** How many requests may be in flight at once. Default: 64 */
  readonly concurrency?: number | undefined
  /** Ends listings and reads. Small writes go on, so that a stopped step can still be recorded. */
  readonly signal?: AbortSignal | undefined
  /** Default: a real pause, ended by `signal`. */
  readonly sleep?: Host['sleep'] | undefined
  readonly now?: Host['now'] | undefined
  /** Who takes locks. Default: somebody whom no other process knows to be alive. */
  readonly owner?: Host['owner'] | undefined
}

/** What the options of a command say about AWS, for the host that runs it. */
export const awsOf = (
  { profile, awsRegion, endpointUrl, concurrency }: AwsSettings,
  { signal, sleep, now, owner }: Pick<Host, 'signal' | 'sleep' | 'now' | 'owner'>,
): AwsSettings => ({ profile, awsRegion, endpointUrl, concurrency, signal, sleep, now, owner })

/** How code that asks AWS pauses. */
export const sleepOf = ({ signal, sleep }: AwsSettings): Host['sleep'] =>
  sleep ?? ((ms) => setTimeout(ms, undefined, { ...(signal && { signal }) }))

/** What a run needs of the host that works on it. */
export type RunHost = Pick<Host, 'owner' | 'sleep' | 'now'>

export const runHostOf = (settings: AwsSettings): RunHost => ({
  owner: settings.owner ?? { host: 'unnamed', pid: 0, isAlive: () => false },
  sleep: sleepOf(settings),
  now: settings.now ?? (() => new Date()),
})

/**
 * Outputs of a stack of `setup`, and `Logs`: where logs may be read. CloudFormation's client loads only here.
 * @throws UserError when there is no such stack, or it is not finished
 */
export async function stackOutputs(name: string, settings: AwsSettings): Promise<Readonly<Record<string, string>>> {
  const { outputsOfStack } = await import('./cloudformation/stack.ts')
  return outputsOfStack(name, settings)
}
