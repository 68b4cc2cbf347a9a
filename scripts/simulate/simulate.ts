import { setImmediate } from 'node:timers/promises'
import type { Context } from '../lib/cli/command.ts'
import { withLock } from '../lib/runs/lock.ts'
import { folderStore } from '../lib/stores/folder.ts'
import { simulateAlb } from './alb.ts'
import { simulateApiGateway } from './apigateway.ts'
import { simulateCloudFront } from './cloudfront.ts'
import { simulateCloudTrail } from './cloudtrail.ts'
import { begin, claim, finish, type Totals } from './folder.ts'
import { labelsCsv, type Simulated } from './log-file.ts'
import { simulateResolver } from './route53resolver.ts'
import { simulateS3Access } from './s3access.ts'
import { simulateSecurityLake } from './securitylake.ts'
import type { Settings } from './settings.ts'
import { simulateVpcflow } from './vpcflow.ts'
import { simulateWaf } from './waf.ts'
import { Writer } from './writer.ts'

const simulators = new Map([
  ['cloudtrail', simulateCloudTrail],
  ['waf', simulateWaf],
  ['alb', simulateAlb],
  ['vpcflow', simulateVpcflow],
  ['apigateway', simulateApiGateway],
  ['route53resolver', simulateResolver],
  ['s3access', simulateS3Access],
  ['cloudfront', simulateCloudFront],
  ['securitylake', simulateSecurityLake],
])

/** Sources that can be simulated. */
export const simulated: readonly string[] = [...simulators.keys()]

type Host = Pick<Context, 'signal' | 'progress' | 'owner' | 'sleep'>
type Result = { readonly totals: Totals; readonly written: number }

/**
 * Writes a log folder. The same settings give the same bytes; an interrupted simulation is completed.
 * @returns totals, and `written`, the number of objects that did not exist before
 * @throws UserError when another process writes there
 */
export async function simulate(
  folder: string,
  settings: Settings,
  context: Host,
  options: { overwrite: boolean },
): Promise<Result> {
  const look = () => claim(folder, settings, options.overwrite)
  // Before the lock, so that no lock is written into somebody else's folder, …
  const found = await look()
  if (found.state === 'done') return { totals: found.totals, written: 0 }
  const work = async (): Promise<Result> => {
    // … and again, because the folder may have changed meanwhile.
    const claimed = await look()
    if (claimed.state === 'done') return { totals: claimed.totals, written: 0 }
    return write(folder, settings, context, claimed.keepExisting)
  }
  return withLock(folderStore(folder), { ...context, step: 'simulate', place: 'folder' }, work)
}

async function write(folder: string, settings: Settings, context: Host, keepExisting: boolean): Promise<Result> {
  const parts = settings.sources.flatMap((source) => simulators.get(source)?.(settings) ?? [])
  await begin(folder, settings, keysOf(parts), !keepExisting)
  const writer = new Writer(folder, { keepExisting })
  const progress = context.progress('simulate', undefined, 'objects')
  let turns = 0
  try {
    for (const part of parts)
      for (const { key, content, columns } of part.files()) {
        // Small files are written synchronously: without these pauses nothing else would run, not even the handler of Ctrl-C.
        if (++turns % 100 === 0) await setImmediate()
        context.signal.throwIfAborted()
        await writer.put(key, content(), columns)
        progress.advance()
      }
  } finally {
    // The lock is held until everything is written.
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

function* keysOf(parts: readonly Simulated[]): Generator<string> {
  for (const part of parts) for (const { key } of part.files()) yield key
}
