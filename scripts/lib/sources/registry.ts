import { UserError } from '../cli/errors.ts'
import { alb } from './alb.ts'
import { cloudtrail } from './cloudtrail.ts'
import { s3access } from './s3access.ts'
import type { Source } from './source.ts'
import { vpcflow } from './vpcflow.ts'
import { waf } from './waf.ts'

/** All sources by id. */
export const sources: Readonly<Record<string, Source>> = { cloudtrail, waf, alb, s3access, vpcflow }

export const sourceIds: readonly string[] = Object.keys(sources)

/** Each source once, in a fixed order: however they were typed, the work is the same. */
export const distinctSources = (sources: readonly string[]): string[] => sourceIds.filter((id) => sources.includes(id))

/** A source as AWS writes it; what is none stays as it is. */
export const sourceNameOf = (id: string): string => (Object.hasOwn(sources, id) ? (sources[id]?.name ?? id) : id)

/** What an access is; of files of pairs, which do not say, a request. */
export const accessOf = (id: string): Source['access'] =>
  (Object.hasOwn(sources, id) ? sources[id]?.access : undefined) ?? 'request'

/** In place of a source, for pairs that were given as files. */
export const FILES = 'files'

/** @throws UserError for files of pairs, Error naming the valid ids */
export function sourceOf(id: string): Source {
  if (id === FILES)
    throw new UserError('this run was made of files of pairs: it has no logs', {
      hint: 'train, deploy, score and clean take it',
    })
  const source = Object.hasOwn(sources, id) ? sources[id] : undefined
  if (source === undefined) throw new Error(`unknown source "${id}": ${sourceIds.join(', ')}`)
  return source
}
