import { setImmediate } from 'node:timers/promises'
import type { Context } from '../cli/context.ts'
import { simulateCloudTrail } from './cloudtrail.ts'
import { begin, claim, finish, type Totals } from './folder.ts'
import { labelsCsv } from './labels.ts'
import type { Simulated } from './log-file.ts'
import type { Settings } from './settings.ts'
import { simulateWaf } from './waf.ts'
import { Writer } from './writer.ts'

const simulators: Readonly<Record<string, (settings: Settings) => Simulated>> = {
  cloudtrail: simulateCloudTrail,
  waf: simulateWaf,
}

/** Sources that can be simulated. */
export const simulated = ['cloudtrail', 'waf'] as const

/**
 * Writes a log folder. The same settings make the same bytes; what an interrupted simulation left is completed.
 * Returns totals with `written`, the objects that were not there before.
 */
export async function simulate(
  folder: string,
  settings: Settings,
  context: Pick<Context, 'signal' | 'progress'>,
  options: { overwrite: boolean },
): Promise<{ totals: Totals; written: number }> {
  const claimed = await claim(folder, settings, options.overwrite)
  if (claimed.state === 'done') return { totals: claimed.totals, written: 0 }
  const parts = settings.sources.map((source) => ({ source, ...partOf(source, settings) }))
  await begin(folder, settings, keysOf(parts), !claimed.keepExisting)
  const writer = new Writer(folder, claimed)
  const progress = context.progress('simulate', undefined, 'objects')
  let turns = 0
  for (const part of parts)
    for (const { key, content } of part.files()) {
      // Small files are written at once: nothing else, not even Ctrl-C, is heard unless it is listened to now and then.
      if (++turns % 100 === 0) await setImmediate()
      context.signal.throwIfAborted()
      await writer.put(key, content())
      progress.advance()
    }
  await writer.end()
  progress.end()
  const labels = parts.flatMap((part) => part.labels)
  const totals: Totals = {
    objects: writer.objects,
    bytes: writer.bytes,
    plainBytes: writer.plainBytes,
    events: parts.reduce((sum, { events }) => sum + events, 0),
    duplicates: parts.reduce((sum, { duplicates }) => sum + duplicates, 0),
    attacks: labels.length,
  }
  await finish(folder, settings, labelsCsv(labels), totals)
  return { totals, written: writer.written }
}

function partOf(source: string, settings: Settings): Simulated {
  const simulator = simulators[source]
  if (simulator === undefined) throw new RangeError(`no simulation of ${source}`)
  return simulator(settings)
}

function* keysOf(parts: readonly Simulated[]): Generator<string> {
  for (const part of parts) for (const { key } of part.files()) yield key
}
