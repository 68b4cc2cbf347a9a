import { keyParser, mayHold, nameParser, type ParsedKey } from '../../lib/sources/layout.ts'
import { sources } from '../../lib/sources/registry.ts'
import type { Source } from '../../lib/sources/source.ts'
import type { Store } from '../../lib/stores/store.ts'
import type { KeySource, Scope } from './key-source.ts'

/** Names that a log without a time in its name may have. */
const LOG_NAME = /\.(?:json|jsonl|ndjson|log|gz|zst)$/i

/**
 * Logs that somebody copied out of their folders: lists everything below the base, and chooses by the time in the object's name. Where
 * no object has one, all are taken, because then only the event time can tell.
 */
export async function looseKeys(store: Store, scope: Scope, base: string, signal: AbortSignal): Promise<KeySource> {
  const parse = looseParser(scope.source)
  const survey = await surveyOf(store, base, parse, signal)
  const undated = survey.dated === 0
  const warnings: string[] = []
  return {
    objects: (async function* () {
      for await (const object of store.list({ prefix: base })) {
        signal.throwIfAborted()
        const parsed = parse(object.key)
        if (parsed === undefined) {
          if (!undated || !LOG_NAME.test(object.key) || isOfAnotherSource(scope.source, object.key)) continue
          if (warnings.length === 0) warnings.push(UNDATED)
          yield object
        } else if (inScope(parsed, scope)) yield object
      }
    })(),
    findings: {
      looked: [
        `no AWSLogs/ folders: every object below ${store.uriOf(base)}, ${undated ? 'whatever its name' : 'by the time in its name'}`,
      ],
      warnings,
      lost: [],
      nearest: async () =>
        survey.earliest && survey.latest
          ? [`earliest: ${survey.earliest.toISOString()}`, `latest: ${survey.latest.toISOString()}`]
          : [],
    },
  }
}

const UNDATED = 'no object has a time in its name: all are taken, and events are chosen by their own time'

interface Dated extends ParsedKey {
  readonly holds: (scope: Scope) => boolean
}

function looseParser(source: Source): (key: string) => Dated | undefined {
  const parsers = source.layouts.map((layout) => ({ layout, parse: nameParser(layout) }))
  return (key) => {
    for (const { layout, parse } of parsers) {
      const parsed = parse(key)
      if (parsed) return { ...parsed, holds: ({ window }) => mayHold(layout.padding, window, parsed.time) }
    }
    return undefined
  }
}

function inScope(parsed: Dated, scope: Scope): boolean {
  const { account, region } = parsed.variables
  const [inAccounts, inRegions] = [scope.accounts, scope.regions].map((wanted, i) => {
    const value = i === 0 ? account : region
    return wanted.length === 0 || value === undefined || wanted.includes(value)
  })
  return inAccounts === true && inRegions === true && parsed.holds(scope)
}

async function surveyOf(store: Store, base: string, parse: (key: string) => Dated | undefined, signal: AbortSignal) {
  let dated = 0
  let earliest: Date | undefined
  let latest: Date | undefined
  for await (const { key } of store.list({ prefix: base })) {
    signal.throwIfAborted()
    const time = parse(key)?.time
    if (time === undefined) continue
    dated += 1
    if (earliest === undefined || time < earliest) earliest = time
    if (latest === undefined || time > latest) latest = time
  }
  return { dated, earliest, latest }
}

const isOfAnotherSource = (source: Source, key: string): boolean =>
  Object.values(sources).some(
    (other) =>
      other !== source &&
      other.layouts.some((layout) => (keyParser(layout)(key) ?? nameParser(layout)(key)) !== undefined),
  ) ||
  /_(?:CloudTrail-[A-Za-z]+|elasticloadbalancing|vpcflowlogs|vpcdnsquerylogs|network-firewall[a-z_]*|Config)_/.test(key)
