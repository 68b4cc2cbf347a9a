import { setTimeout as wait } from 'node:timers/promises'
import type { Kind, SageMakerSettings } from './settings.ts'

/** Something that moves from state to state: a job, an endpoint. */
export interface Moving {
  readonly kind: Kind
  readonly name: string
  /** Its state; undefined once it is final. */
  stage(): string | undefined
  /** Does the work of its stage and moves to the next one. */
  step(): Promise<void>
}

/** Moves jobs and endpoints on, each one step at a time. */
export class Mover {
  readonly #settings: SageMakerSettings
  readonly #broken: (error: unknown) => void
  readonly #all = new Set<Moving>()
  readonly #going = new Set<Moving>()
  readonly #queues = new Map<Moving, Promise<void>>()
  readonly #closing = new AbortController()

  /** @param broken called with what a step threw, which is a bug of the sandbox */
  constructor(settings: SageMakerSettings, broken: (error: unknown) => void) {
    this.#settings = settings
    this.#broken = broken
  }

  /** Ends all work that is under way. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  close(): void {
    this.#closing.abort()
  }

  /** Let something move by itself, if the pace says so. */
  start(moving: Moving): void {
    this.#all.add(moving)
    if (this.#going.has(moving)) return
    this.#going.add(moving)
    this.#go(moving)
      .catch((error: unknown) => {
        if (!this.closing.aborted) this.#broken(error)
      })
      .finally(() => this.#going.delete(moving))
  }

  async #go(moving: Moving): Promise<void> {
    while (this.canMove(moving)) {
      const { pace } = this.#settings
      if (pace === 'poll' || pace === 'manual') return
      // Never within the request that started it, so that its caller sees the state before.
      await wait(pace === 'instant' ? 1 : pace, undefined, { signal: this.closing })
      await this.step(moving)
    }
  }

  canMove(moving: Moving): boolean {
    const { hold } = this.#settings
    const stage = moving.stage()
    return stage !== undefined && !(hold?.kind === moving.kind && hold.stage === stage)
  }

  /** Move something by one step, after steps already under way. */
  step(moving: Moving): Promise<void> {
    const next = (this.#queues.get(moving) ?? Promise.resolve()).then(async () => {
      if (this.canMove(moving)) await moving.step()
    })
    this.#queues.set(
      moving,
      next.catch(() => {}),
    )
    return next
  }

  /** Called at every look. */
  polled(moving: Moving): void {
    if (this.#settings.pace === 'poll') this.step(moving).catch(this.#broken)
  }

  /** What can move; with a name, only that. */
  underWay(name?: string): Moving[] {
    return [...this.#all].filter((moving) => this.canMove(moving) && (name === undefined || moving.name === name))
  }

  /** Release what was held. */
  release(): void {
    this.#settings.hold = undefined
    for (const moving of this.#all) this.start(moving)
  }
}
