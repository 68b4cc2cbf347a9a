import { setImmediate } from 'node:timers/promises'
import type { Context } from '../lib/cli/command.ts'
import { withLock } from '../lib/runs/lock.ts'
import { folderStore } from '../lib/stores/folder.ts'
import { simulateCloudTrail } from './cloudtrail.ts'
import { begin, claim, finish, type Totals } from './folder.ts'
import { labelsCsv, type Simulated } from './log-file.ts'
import type { Settings } from './settings.ts'
import { simulateWaf } from './waf.ts'
import { Writer } from './writer.ts'

const simulators: Readonly<Record<string, (settings: Settings) => Simulated>> = {
  cloudtrail: simulateCloudTrail,
  waf: simulateWaf,
}

/** Sources that can be simulated. */
export const simulated = ['cloudtrail', 'waf'] as const

type Host = Pick<Context, 'signal' | 'progress' | 'owner' | 'sleep'>
type Result = { readonly totals: Totals; readonly written: number }

/**
 * Writes a log folder. The same settings make the same bytes; what an interrupted simulation left is completed.
 * Returns totals with `written`, the objects that were not there before.
 * @throws UserError when another process writes there
 */
export async function simulate(
  folder: string,
  settings: Settings,
  context: Host,
  options: { overwrite: boolean },
): Promise<Result> {
  const look = () => claim(folder, settings, options.overwrite)
  // Before it is locked, so that no lock is laid into a folder of somebody else, …
  const found = await look()
  if (found.state === 'done') return { totals: found.totals, written: 0 }
  const work = async (): Promise<Result> => {
    // … and again, since it may have changed meanwhile.
    const claimed = await look()
    if (claimed.state === 'done') return { totals: claimed.totals, written: 0 }
    return write(folder, settings, context, claimed.keepExisting)
  }
  return withLock(folderStore(folder), { ...context, step: 'simulate', place: 'folder' }, work)
}

async function write(folder: string, settings: Settings, context: Host, keepExisting: boolean): Promise<Result> {
  const parts = settings.sources.map((source) => ({ source, ...partOf(source, settings) }))
  await begin(folder, settings, keysOf(parts), !keepExisting)
  const writer = new Writer(folder, { keepExisting })
  const progress = context.progress('simulate', undefined, 'objects')
  let turns = 0
  try {
    for (const part of parts)
      for (const { key, content } of part.files()) {
        // Small files are written at once: nothing else, not even Ctrl-C, is heard unless it is listened to now and then.
        if (++turns % 100 === 0) await setImmediate()
        context.signal.throwIfAborted()
        await writer.put(key, content())
        progress.advance()
      }
  } finally {
    // The lock must not be given back while something is still written.
    await writer.end()
  }
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
