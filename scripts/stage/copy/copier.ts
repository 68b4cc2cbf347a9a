import type { ObjectInfo } from '../../lib/stores/store.ts'

/** An object that could not be copied. */
export interface Failure {
  readonly key: string
  readonly reason: string
}

/** One way of bringing objects of the logs into the run's folder. */
export interface Copier {
  readonly name: string
  /** Copies what it is given, and reports every object once; throws only when going on makes no sense. */
  copy(objects: AsyncIterable<ObjectInfo>, report: CopyReport): Promise<void>
}

export interface CopyReport {
  copied(objects: number): void
  failed(failure: Failure): void
  state(text: string): void
}
