import { dividedStore } from '../stores/divided.ts'
import type { Store } from '../stores/store.ts'
import { BULK, bulk, RUNS } from './paths.ts'

/**
 * What a run has, as one store. In a folder it lies together; in S3 in two places, since lifecycle rules tell objects apart by how their
 * keys begin, and tags would cost more than what they are on.
 * @param root the workspace
 */
export function runStore(root: Store, id: string): Store {
  const place = `${RUNS}${id}/`
  return root.localPath === undefined ? dividedStore(root, place, `${BULK}${id}/`, bulk) : root.within(place)
}

/** URI of something large in a run of a workspace in S3, whether the run is there or not; of all runs without one. */
export const bulkUri = (workspace: string, id?: string, key = ''): string =>
  `${workspace.replace(/\/+$/, '')}/${BULK}${id === undefined ? '' : `${id}/${key}`}`

/** The beginnings of all URIs of a run in S3. */
export const placesOf = ({ workspace, id }: { readonly workspace: string; readonly id: string }): string[] => [
  `${workspace}/${RUNS}${id}/`,
  bulkUri(workspace, id),
]
