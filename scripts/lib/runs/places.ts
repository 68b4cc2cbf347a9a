import { dividedStore } from '../stores/divided.ts'
import type { Store } from '../stores/store.ts'
import { BULK, bulk, RUNS } from './paths.ts'

/**
 * The files of a run as one store. In a folder they lie together. In S3 they lie in two places: lifecycle rules select objects by key
 * prefix, and tags would cost more than the objects.
 * @param root the workspace
 */
export function runStore(root: Store, id: string): Store {
  const place = `${RUNS}${id}/`
  return root.localPath === undefined ? dividedStore(root, place, `${BULK}${id}/`, bulk) : root.within(place)
}

/** URI of a large file of a run in S3, whether the run exists or not; without an id, of all runs. */
export const bulkUri = (workspace: string, id?: string, key = ''): string =>
  `${workspace.replace(/\/+$/, '')}/${BULK}${id === undefined ? '' : `${id}/${key}`}`

/** The URI prefixes of a run in S3. */
export const placesOf = ({ workspace, id }: { readonly workspace: string; readonly id: string }): string[] => [
  `${workspace}/${RUNS}${id}/`,
  bulkUri(workspace, id),
]
