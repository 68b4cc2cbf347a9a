import { cloudtrail } from './cloudtrail.ts'
import type { Source } from './source.ts'
import { waf } from './waf.ts'

/** All sources by id. */
export const sources: Readonly<Record<string, Source>> = { cloudtrail, waf }

export const sourceIds: readonly string[] = Object.keys(sources)

/** @throws Error naming the valid ids */
export function sourceOf(id: string): Source {
  const source = Object.hasOwn(sources, id) ? sources[id] : undefined
  if (source === undefined) throw new Error(`unknown source "${id}": ${sourceIds.join(', ')}`)
  return source
}
