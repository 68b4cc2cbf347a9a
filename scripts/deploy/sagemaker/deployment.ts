import { messageOf, UserError } from '../../lib/cli/errors.ts'
import type { Calibration } from '../../lib/insights/calibration.ts'
import type { Checkpoint, Saved } from '../../lib/runs/checkpoints.ts'
import type { HoldoutTest } from '../../lib/runs/comparison.ts'
import { type Hardware, offersServerless } from './hardware.ts'
import { configRequest, type EndpointSpec } from './spec.ts'
import type { Updater } from './update.ts'

/** What a deployment works with. */
export interface Deployment extends Updater {
  readonly spec: EndpointSpec
  readonly checkpoint: Checkpoint<Saved<'deploy'>>
  readonly role: string
  readonly signal: AbortSignal
  /** Where a new model is tried before it replaces another one. */
  readonly trial: Hardware
  readonly test: HoldoutTest
  /** Whether a worse model may replace a better one. */
  readonly force: boolean
  readonly calibration: {
    save(calibration: Calibration): Promise<void>
    /** What was saved last. */
    saved(): Promise<Calibration | undefined>
  }
  /** Whether the new endpoint will be scaled. */
  readonly scales: boolean
  info(text: string): void
}

/** Creates a configuration for hardware. @throws UserError that names the way out where a region has no serverless endpoints */
export async function createConfig(
  { endpoints, spec, role }: Deployment,
  name: string,
  hardware: Hardware,
): Promise<void> {
  const created = endpoints.createConfig(configRequest(spec, role, name, hardware))
  if (!('memoryMB' in hardware) || offersServerless(spec.region)) return created
  return created.catch((error: unknown) => {
    throw new UserError(messageOf(error), {
      hint: `serverless endpoints are documented for other regions than ${spec.region}: name an --instance-type`,
      cause: error,
    })
  })
}
