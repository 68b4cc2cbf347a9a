import type { Window } from '../../runs/window.ts'
import type { Source } from '../../sources/source.ts'
import type { ObjectInfo } from '../../stores/store.ts'
import type { Failure } from '../copy/copier.ts'

/** What is asked for. */
export interface Scope {
  readonly source: Source
  readonly window: Window
  /** Empty means all. */
  readonly accounts: readonly string[]
  readonly regions: readonly string[]
}

/** What a way of finding keys tells besides the keys; complete once they have all been read. */
export interface Findings {
  /** Where was looked, in the user's words. */
  readonly looked: string[]
  readonly warnings: string[]
  /** Objects that an index names and that are not there: they can only fail. */
  readonly lost: Failure[]
  /** What lies nearest to a window that has no key. */
  nearest(): Promise<string[]>
}

/** A way of finding the keys of a window: objects in key order, each once. */
export interface KeySource {
  readonly objects: AsyncIterable<ObjectInfo>
  readonly findings: Findings
}
