import type { SecondaryStatus } from '@aws-sdk/client-sagemaker'

/** From StatusMessage of real jobs. */
const MESSAGES: Partial<Record<SecondaryStatus, string>> = {
  Starting: 'Preparing the instances for training',
  Downloading: 'Downloading input data',
  Training: 'Training image download completed. Training in progress.',
  Uploading: 'Uploading generated training model',
  Completed: 'Training job completed',
  Failed: 'Training job failed',
  Stopping: 'Stopping the training job',
  Stopped: 'Training job stopped',
  MaxRuntimeExceeded: 'Training job exceeded MaxRuntimeInSeconds provided',
  MaxWaitTimeExceeded: 'Training job exceeded MaxWaitTimeInSeconds provided',
  Interrupted: 'Training job interrupted',
}

/** One of SecondaryStatusTransitions; times are seconds. */
export interface Transition {
  readonly Status: SecondaryStatus
  readonly StartTime: number
  EndTime?: number
  readonly StatusMessage?: string
}

/** Ends the last state and begins another. */
export function enter(transitions: Transition[], Status: SecondaryStatus, now: number): void {
  const last = transitions.at(-1)
  if (last) last.EndTime = now
  const StatusMessage = MESSAGES[Status]
  transitions.push({ Status, StartTime: now, ...(StatusMessage !== undefined && { StatusMessage }) })
}
