import type { CommandResult } from '../lib/cli/command.ts'
import { facts } from '../lib/cli/format.ts'
import { eventSpan, keyParser, type Layout, nameParser } from '../lib/sources/layout.ts'
import { type Parting, partingOf } from '../lib/sources/parting.ts'
import type { Source } from '../lib/sources/source.ts'
import { keyIn } from '../lib/stores/uri.ts'
import { serviceOf } from './survey.ts'

/** Fewer characters in common are chance. */
const NEAR = 4

/** What a key is: its source and layout and the events that it is read for; or what comes closest. @param given a key, or `s3://bucket/key` */
export function explanationOf(given: string, sources: readonly Source[]): CommandResult {
  const key = keyIn(given)
  const layouts = sources.flatMap(({ id, layouts, digest }) =>
    [...layouts, ...(digest === undefined ? [] : [digest])].map((layout) => ({ source: id, layout })),
  )
  // Names alone count only where AWS's folders are missing.
  const parsers = key.includes('AWSLogs/') ? [keyParser] : [keyParser, nameParser]
  for (const parserOf of parsers)
    for (const { source, layout } of layouts) {
      const parsed = parserOf(layout)(key)
      if (parsed !== undefined)
        return matched({ key, source, layout, by: parserOf === keyParser ? 'key' : 'name', ...parsed })
    }
  const partings = layouts.map(({ source, layout }) => ({ source, layout, ...partingOf(layout, key) }))
  const closest = partings.sort((a, b) => b.matched - a.matched).find((parting) => parting.matched >= NEAR)
  return unmatched(key, closest, serviceOf(key))
}

interface Matched extends NonNullable<ReturnType<ReturnType<typeof keyParser>>> {
  readonly key: string
  readonly source: string
  readonly layout: Layout
  readonly by: 'key' | 'name'
}

function matched({ key, source, layout, by, root, variables, time }: Matched): CommandResult {
  const { from, to } = eventSpan(layout.padding, time)
  const [keyTime, first, last] = [time, from, to].map((moment) => moment.toISOString())
  const { lateHours } = layout.padding
  return {
    json: {
      ...{ key, source, layout: layout.id, by, root, variables, keyTime, events: { from: first, to: last }, lateHours },
    },
    text: facts([
      ['key', JSON.stringify(key)],
      ['source', source],
      ['layout', `${layout.id}: ${layout.about}`],
      by === 'name' ? ['known by', 'its name alone, outside of the folders that AWS writes'] : undefined,
      root === '' ? undefined : ['below', JSON.stringify(root)],
      ...Object.entries(variables).map(([name, value]) => [name, value] as const),
      ['time in key', keyTime ?? ''],
      ['read for', `events from ${first} to ${last}, exclusive`],
      ['late files', `due up to ${lateHours} h after a window`],
    ]),
  }
}

type Closest = Parting & { readonly source: string; readonly layout: Layout }

function unmatched(key: string, closest: Closest | undefined, service: string | undefined): CommandResult {
  const { source, layout, at = 0, expected = '' } = closest ?? {}
  const rest = key.slice(at)
  return {
    json: {
      key,
      source: null,
      ...(service !== undefined && { service }),
      closest: closest === undefined ? null : { source, layout: layout?.id, at, rest, expected },
    },
    text: facts([
      ['key', JSON.stringify(key)],
      ['source', 'none'],
      service === undefined ? undefined : ['known as', `${service}: prestage does not read them`],
      layout === undefined
        ? ['closest', 'no layout begins like it']
        : ['closest', `${layout.id} of ${source}: ${layout.path}${layout.timed}`],
      layout === undefined
        ? undefined
        : [
            'parted',
            `at character ${at + 1}: ${expected} expected, ${rest === '' ? 'but the key ends' : `found ${JSON.stringify(rest)}`}`,
          ],
    ]),
  }
}
