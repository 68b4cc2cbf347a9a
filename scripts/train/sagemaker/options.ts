import { UsageError } from '../../lib/cli/errors.ts'
import { flag, type Option, parsed } from '../../lib/cli/options.ts'
import { sagemakerOptions } from '../../lib/cli/shared-options.ts'
import { spanIn } from '../../lib/runs/window.ts'

const seconds = (about: string): Option<number | undefined> =>
  parsed({
    about,
    value: 'SPAN',
    parse: (text): number => {
      const span = spanIn(text)
      if (span === undefined) throw new Error('must be a span: 30m, 2h, 1d')
      return span / 1000
    },
  })

export const sagemakerTrainOptions = {
  ...sagemakerOptions,
  spot: flag({ about: 'train on spot instances: cheaper, an hour at most, and they may be taken away' }),
  maxRuntime: seconds('stop a job in SageMaker after so long (default: by the size of the work)'),
  maxWait: seconds('with --spot: longest time for waiting and training together (default: 1h)'),
}

/** "Managed Spot Training", SageMaker developer guide: the limit of algorithms that write no checkpoints. */
const SPOT_LIMIT = 3600

interface Wanted {
  readonly spot: boolean
  readonly maxRuntime?: number | undefined
  readonly maxWait?: number | undefined
}

/** How long a job may take, seconds. @throws UsageError when the limits do not go together */
export function limitsOf({ spot, maxRuntime, maxWait }: Wanted, usual: number) {
  if (!spot) {
    if (maxWait !== undefined) throw new UsageError('--max-wait belongs to --spot', 'add --spot, or leave it out')
    return { maxRuntimeSeconds: maxRuntime ?? usual, maxWaitSeconds: undefined }
  }
  const maxWaitSeconds = maxWait ?? SPOT_LIMIT
  const maxRuntimeSeconds = maxRuntime ?? Math.min(usual, maxWaitSeconds)
  if (maxWaitSeconds > SPOT_LIMIT)
    throw new UsageError(
      '--max-wait: on spot instances an algorithm without checkpoints has one hour at most',
      'lower it to 1h, or leave --spot out',
    )
  if (maxRuntimeSeconds > maxWaitSeconds)
    throw new UsageError(
      '--max-runtime is longer than --max-wait, which covers waiting and training together',
      'with --spot both are one hour at most',
    )
  return { maxRuntimeSeconds, maxWaitSeconds }
}
