import { createHash } from 'node:crypto'
import type { Tag } from '@aws-sdk/client-sagemaker'

/** What SageMaker allows as a name. */
const LONGEST_NAME = 63

/**
 * Name of something that belongs to a run: `prestage-<run id>-<suffix>`. A run id that is too long loses its middle and keeps the hash
 * at its end.
 */
export function resourceName(id: string, suffix: string): string {
  const plain = id.replace(/[^a-zA-Z0-9]+/g, '-')
  const [head, tail] = [`prestage-${plain}`, `-${suffix}`]
  if (head.length + tail.length <= LONGEST_NAME) return head + tail
  const hash = plain.slice(-6)
  return `${head.slice(0, LONGEST_NAME - tail.length - hash.length - 1).replace(/-+$/, '')}-${hash}${tail}`
}

/** Equal parts have equal hashes: what was made from them is found again by its name. */
export const shortHash = (parts: unknown): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 6)

/** Name of an attempt at a job, from 1; other parts make another job. */
export const jobName = (id: string, parts: unknown, attempt: number): string =>
  resourceName(id, attempt === 1 ? shortHash(parts) : `${shortHash(parts)}-${attempt}`)

export const RUN_TAG = 'prestage:run'
export const WORKSPACE_TAG = 'prestage:workspace'
/** Of a configuration: how its instances were scaled when others replaced them, `1:4`. */
export const SCALING_TAG = 'prestage:scaling'

/** The tags of everything that prestage makes: only what carries them is ever removed. */
export const tagsOf = (run: string, workspace: string, more: readonly Tag[] = []): Tag[] => [
  { Key: RUN_TAG, Value: run },
  { Key: WORKSPACE_TAG, Value: workspace },
  ...more,
]
