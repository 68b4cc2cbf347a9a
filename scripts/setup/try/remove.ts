import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { s3Client, s3ControlClient, sagemakerClient } from '../../lib/aws/clients.ts'
import type { Leftover } from '../../lib/aws/leftover.ts'
import { batchLeftovers } from '../../lib/aws/s3-batch/leftovers.ts'
import { jobLeftovers, resourceLeftovers } from '../../lib/aws/sagemaker/leftovers.ts'
import { messageOf, UserError } from '../../lib/cli/errors.ts'
import { dropTable } from '../../lib/engines/athena/sql.ts'
import { paths, placesOf } from '../../lib/runs/paths.ts'
import { failedUploads, objectsBelow } from '../../lib/stores/s3-leftovers.ts'
import { keyIn } from '../../lib/stores/uri.ts'
import { athenaOf, tablesOf } from './athena.ts'
import { storeOf, TRY, type TryPlace } from './place.ts'

/** Says since when a try is under way. It is there before anything else, and goes last. */
const NOTE = 'note.json'

/** Clocks differ. */
const EARLIER_MS = 5 * 60_000

export const writeNote = ({ store }: TryPlace, began: Date) => store.write(NOTE, JSON.stringify({ began }))

/** When a try began that has not removed everything; undefined when there is none. */
export async function leftSince({ store }: TryPlace): Promise<Date | undefined> {
  const text = await store.text(NOTE)
  const began = /"began":"([^"]+)"/.exec(text ?? '')?.[1]
  return text === undefined ? undefined : new Date(began ?? 0)
}

/**
 * Removes all that tries have made since then: what still works first. A stop does not keep it from that.
 * @throws UserError naming what could not be removed
 */
export async function removeTry(given: TryPlace, began: Date, warn: (text: string) => void): Promise<void> {
  const aws = { ...given.aws, signal: undefined, sleep: undefined }
  const place = { ...given, aws, store: await storeOf(given.workspace, aws) }
  const { signal } = new AbortController()
  const removal = { place, began, warn, signal, sleep: (ms: number): Promise<void> => setTimeout(ms) }
  const failures: string[] = []
  for (const part of [jobsOf, queriesOf, resourcesOf, objectsOf])
    try {
      for (const { remove } of await found(part, removal))
        await remove(signal).catch((error: unknown) => failures.push(messageOf(error)))
    } catch (error) {
      failures.push(messageOf(error))
    }
  if (failures.length > 0)
    throw new UserError(`what the try has made could not all be removed: ${failures.join('; ')}`, {
      hint: 'the same command removes the rest, and tries again',
    })
  await place.store.remove(NOTE)
}

type Part = (removal: Removal) => Promise<Leftover[]>

/** Who may not look for something could not have made it. */
async function found(part: Part, removal: Removal): Promise<Leftover[]> {
  try {
    return await part(removal)
  } catch (error) {
    if (!(error instanceof UserError) || error.exitCode !== 4) throw error
    removal.warn(error.message)
    return []
  }
}

interface Removal {
  readonly place: TryPlace
  readonly began: Date
  readonly signal: AbortSignal
  sleep(ms: number): Promise<void>
  warn(text: string): void
}

async function jobsOf({ place, signal, sleep }: Removal): Promise<Leftover[]> {
  const { aws, region, account, store } = place
  const control = await s3ControlClient(aws, region)
  const of = { run: TRY, manifests: store.uriOf(paths.jobs), saved: undefined }
  return batchLeftovers({ control, account, region, ...of, signal, sleep })
}

async function queriesOf({ place, began, signal }: Removal): Promise<Leftover[]> {
  const { database } = place
  const athena = await athenaOf(place, signal, () => {})
  const tables = Object.values(tablesOf(place))
  const since = new Date(began.getTime() - EARLIER_MS)
  const running = await athena.underWay(since, (sql) => tables.some((table) => sql.includes(table)))
  return [
    ...running.map((id) => leftover(`query ${id}`, () => athena.stop(id))),
    ...tables.map((table) =>
      leftover(`table ${table}`, async () => {
        if ((await athena.table(table)) === undefined) return
        await athena.finish(await athena.start(await dropTable(database, table), randomUUID()))
      }),
    ),
  ]
}

const leftover = (what: string, remove: () => Promise<void>): Leftover => ({ what, files: 0, bytes: 0, remove })

async function resourcesOf({ place, signal, sleep }: Removal): Promise<Leftover[]> {
  const { aws, region, workspace } = place
  const client = await sagemakerClient(aws, region)
  const scope = { client, run: TRY, workspace, region, endpoints: [], aws, signal, sleep }
  return [...(await jobLeftovers(scope)), ...(await resourceLeftovers(scope))]
}

async function objectsOf({ place, warn }: Removal): Promise<Leftover[]> {
  const { aws, bucket, workspace, store } = place
  const onVersions = () => warn(`bucket ${bucket} keeps versions: the removed objects stay as older versions`)
  const roots = placesOf({ workspace, id: TRY }).map(keyIn)
  const there = { client: await s3Client(aws, bucket), bucket, roots, store, onVersions }
  const stays: readonly string[] = [NOTE, paths.lock]
  const objects = [
    await failedUploads(there),
    await objectsBelow(there, 'objects of the try', '', (key) => !stays.includes(key)),
  ]
  return objects.filter((one) => one !== undefined)
}
