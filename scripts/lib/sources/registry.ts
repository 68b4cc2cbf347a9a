import { AsyncLocalStorage } from 'node:async_hooks'
import { UserError } from '../cli/errors.ts'
import { alb } from './alb.ts'
import { apigateway } from './apigateway.ts'
import { cloudfront } from './cloudfront.ts'
import { cloudtrail } from './cloudtrail.ts'
import { route53resolver } from './route53resolver.ts'
import { s3access } from './s3access.ts'
import { securitylake } from './securitylake.ts'
import type { Source } from './source.ts'
import { vpcflow } from './vpcflow.ts'
import { waf } from './waf.ts'

/** The sources that come with prestage, by id. */
export const sources: Readonly<Record<string, Source>> = {
  cloudtrail,
  waf,
  alb,
  cloudfront,
  vpcflow,
  s3access,
  apigateway,
  route53resolver,
  securitylake,
}

export const sourceIds: readonly string[] = Object.keys(sources)

/** Sources of the configuration file: commands in one process may have different ones. */
const own = new AsyncLocalStorage<readonly Source[]>()

/** Does some work that knows these sources, too. */
export const withSources = <T>(more: readonly Source[], work: () => Promise<T>): Promise<T> => own.run(more, work)

/** All sources, those of the configuration file last. */
export function knownSources(): readonly Source[] {
  const more = own.getStore() ?? []
  // A mapping that comes with prestage may be changed.
  return [...Object.values(sources).filter(({ id }) => !more.some((other) => other.id === id)), ...more]
}

/** Their ids. */
export const knownIds = (): readonly string[] => knownSources().map(({ id }) => id)

const known = (id: string): Source | undefined => knownSources().find((source) => source.id === id)

/** Each source once, in a fixed order: however they were typed, the work is the same. */
export const distinctSources = (ids: readonly string[]): string[] => knownIds().filter((id) => ids.includes(id))

/** A source as AWS writes it; what is none stays as it is. */
export const sourceNameOf = (id: string): string => known(id)?.name ?? id

/** What an access is; of files of pairs, which do not say, a request. */
export const accessOf = (id: string): Source['access'] => known(id)?.access ?? 'request'

/** In place of a source, for pairs that were given as files. */
export const FILES = 'files'

/** @throws UserError for files of pairs, and for an id that no source has */
export function sourceOf(id: string): Source {
  if (id === FILES)
    throw new UserError('this run was made of files of pairs: it has no logs', {
      hint: 'train, deploy, score and clean take it',
    })
  const source = known(id)
  if (source !== undefined) return source
  throw new UserError(`there is no source "${id}": there are ${knownIds().join(', ')}`, {
    hint: 'sources of your own stand in prestage.yaml, under sources: name that file with --config where it lies elsewhere',
    exitCode: 2,
  })
}
