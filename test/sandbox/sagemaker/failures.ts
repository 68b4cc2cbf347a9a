import type { Refusal } from '../faults.ts'
import type { Failure } from './settings.ts'

/** Failures as AWS words them, for `sandbox.sagemaker.settings.failures`; and refusals, for `sandbox.faults`. */

export const noTrainingCapacity: Failure = {
  kind: 'training',
  stage: 'Starting',
  reason:
    'CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type.',
}

export const overtime: Failure = { kind: 'training', stage: 'Training', reason: '', into: 'MaxRuntimeExceeded' }

/** No spot capacity within MaxWaitTimeInSeconds. */
export const noSpot: Failure = { kind: 'training', stage: 'Starting', reason: '', into: 'MaxWaitTimeExceeded' }

/** @param stage of a new endpoint or of an update */
export const noEndpointCapacity = (stage: 'Creating' | 'Updating'): Failure => ({
  kind: 'endpoint',
  stage,
  reason:
    'Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. Please retry using a different ML instance type or after some time.',
})

/** An update that ends InService with the old configuration, and does not say why. */
export const silentRollback: Failure = { kind: 'endpoint', stage: 'Updating', reason: '' }

export const unhealthy: Failure = {
  kind: 'model',
  stage: 'Loading',
  reason:
    'The primary container for production variant AllTraffic did not pass the ping health check. Please check CloudWatch logs for this endpoint.',
}

export const throttled: Refusal = { code: 'ThrottlingException', status: 400, message: 'Rate exceeded' }
