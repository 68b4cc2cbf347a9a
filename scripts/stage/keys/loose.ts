import { keyParser, nameParser } from '../../lib/sources/layout.ts'
import { knownSources } from '../../lib/sources/registry.ts'
import { type Source, sourceParser } from '../../lib/sources/source.ts'
import type { Store } from '../../lib/stores/store.ts'
import { isInScope, type KeySource, type Scope } from './key-source.ts'

/** Names that a log without a time in its name may have. */
const LOG_NAME = /\.(?:json|jsonl|ndjson|log|gz|zst)$/i

/**
 * Logs that somebody copied out of their folders: lists everything below the base, and chooses by the time in the object's name. Where
 * no object has one, all are taken, because then only the event time can tell.
 */
export async function looseKeys(store: Store, scope: Scope, base: string, signal: AbortSignal): Promise<KeySource> {
  const parse = sourceParser(scope.source, nameParser)
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
        } else if (isInScope(parsed, scope)) yield object
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

type Parser = ReturnType<typeof sourceParser>

async function surveyOf(store: Store, base: string, parse: Parser, signal: AbortSignal) {
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
  knownSources().some(
    (other) => other !== source && (sourceParser(other, keyParser)(key) ?? sourceParser(other, nameParser)(key)),
  ) ||
  /_(?:CloudTrail-[A-Za-z]+|elasticloadbalancing|vpcflowlogs|vpcdnsquerylogs|network-firewall[a-z_]*|Config)_/.test(key)
