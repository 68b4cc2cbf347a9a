import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bulkUri, paths, placesOf, runStore } from '../../../scripts/lib/runs/paths.ts'
import { folderStore } from '../../../scripts/lib/stores/folder.ts'
import type { Store } from '../../../scripts/lib/stores/store.ts'
import { placeInS3 } from '../../support/run-places.ts'
import { tempFolder } from '../../support/temp.ts'

/** A workspace as S3 has it: without a place on a disk. */
function workspaceInS3(): Store {
  const { localPath: _, ...store } = folderStore(tempFolder())
  return store
}

describe('what a run has', () => {
  it('lies together in a folder', () => {
    const root = folderStore(tempFolder())
    const store = runStore(root, 'r')
    for (const key of Object.values(paths)) assert.equal(store.uriOf(key), `${root.uri}/runs/r/${key}`)
    assert.equal(store.localPath?.('staged/a'), `${root.uri}/runs/r/staged/a`)
  })

  it('lies in two places in S3, each thing in the one that keeps it long enough', () => {
    const root = workspaceInS3()
    const store = runStore(root, 'r')
    for (const key of Object.values(paths)) assert.equal(store.uriOf(key), `${root.uri}/${placeInS3('r', key)}`)
    assert.equal(store.uri, `${root.uri}/runs/r`)
  })

  it('is found by URI without the run', () => {
    assert.equal(bulkUri('s3://b/p//', 'r', 'tmp/keys/'), 's3://b/p/bulk/r/tmp/keys/')
    assert.equal(bulkUri('s3://b/p'), 's3://b/p/bulk/')
    assert.deepEqual(placesOf({ workspace: 's3://b/p', id: 'r' }), ['s3://b/p/runs/r/', 's3://b/p/bulk/r/'])
  })
})
