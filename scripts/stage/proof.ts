import { matched } from '../lib/stores/merge.ts'
import type { ObjectInfo, Store } from '../lib/stores/store.ts'
import type { Failure } from './copy/copier.ts'
import type { Selection } from './selection.ts'

/** The selected objects that are not at the destination yet, or not with their size. */
export async function* outstanding(
  selection: Selection,
  staged: Store,
  onPresent: (object: ObjectInfo) => void = () => {},
): AsyncGenerator<ObjectInfo> {
  for await (const { left, right } of matched(selection.rows(), staged.list())) {
    if (left === undefined) continue
    if (right?.size === left.size) onPresent(left)
    else yield left
  }
}

export interface Proof {
  readonly present: number
  readonly bytes: number
  /** Rows of the manifest without an object of their size. */
  readonly missing: number
  /** Staged objects that no row asks for: a later step would read them as if they were meant. */
  readonly extra: number
}

/** Holds every row of the manifest against what is at the destination. */
export async function prove(
  selection: Selection,
  staged: Store,
  report: { missing(failure: Failure): void; extra(key: string): void },
): Promise<Proof> {
  const proof = { present: 0, bytes: 0, missing: 0, extra: 0 }
  for await (const { left, right } of matched(selection.rows(), staged.list())) {
    if (left === undefined) {
      proof.extra += 1
      if (right !== undefined) report.extra(right.key)
    } else if (right?.size === left.size) {
      proof.present += 1
      proof.bytes += left.size
    } else {
      proof.missing += 1
      const reason =
        right === undefined ? 'not at the destination' : `${right.size} bytes at the destination, ${left.size} expected`
      report.missing({ key: left.key, reason })
    }
  }
  return proof
}
