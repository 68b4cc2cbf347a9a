import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../cli/errors.ts'
import { ConditionFailed, type Store } from '../stores/store.ts'
import { paths } from './paths.ts'

interface Holder {
  readonly token: string
  readonly host: string
  readonly pid: number
  readonly step: string
  readonly beat: string
}

/** A holder on another machine that has not shown itself for this long is taken for dead. */
const SILENCE_MS = 10 * 60_000
const BEAT_MS = 60_000

/** Runs `work` while holding the run's lock. @throws UserError when another live process holds it */
export async function withLock<T>(store: Store, step: string, work: () => Promise<T>): Promise<T> {
  const mine: Omit<Holder, 'beat'> = { token: randomUUID(), host: hostname(), pid: process.pid, step }
  await take(store, mine)
  const beat = setInterval(() => void put(store, mine).catch(() => {}), BEAT_MS)
  beat.unref()
  try {
    return await work()
  } finally {
    clearInterval(beat)
    if ((await read(store))?.token === mine.token) await store.remove(paths.lock)
  }
}

const put = (store: Store, holder: Omit<Holder, 'beat'>, condition?: { ifAbsent: true }) =>
  store.write(paths.lock, JSON.stringify({ ...holder, beat: new Date().toISOString() }), condition)

async function take(store: Store, mine: Omit<Holder, 'beat'>): Promise<void> {
  try {
    await put(store, mine, { ifAbsent: true })
    return
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error
  }
  const holder = await read(store)
  if (holder !== undefined && isAlive(holder))
    throw new UserError(`another process is at this run: ${holder.step}, process ${holder.pid} on ${holder.host}`, {
      hint: `wait for it, or if it is gone, delete ${store.uri}/${paths.lock}`,
    })
  await put(store, mine)
  // Two processes may find the same dead lock: the one that wrote last has it.
  await sleep(100)
  if ((await read(store))?.token !== mine.token) return take(store, mine)
}

async function read(store: Store): Promise<Holder | undefined> {
  try {
    return JSON.parse((await store.text(paths.lock)) ?? '') as Holder
  } catch {
    return undefined
  }
}

function isAlive(holder: Holder): boolean {
  if (holder.host !== hostname()) return Date.now() - Date.parse(holder.beat) < SILENCE_MS
  if (holder.pid === process.pid) return true
  try {
    process.kill(holder.pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
