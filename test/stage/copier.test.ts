import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { folderStore } from '../../scripts/lib/stores/folder.ts'
import type { ObjectInfo, Store } from '../../scripts/lib/stores/store.ts'
import type { Copier, Failure } from '../../scripts/stage/copy/copier.ts'
import { downloadCopier } from '../../scripts/stage/copy/download.ts'
import { linkCopier } from '../../scripts/stage/copy/link.ts'
import { all } from '../support/sequences.ts'
import { scratch, writeObjects } from './logs.ts'

const KEYS = Array.from({ length: 50 }, (_, i) => `logs/k${String(i).padStart(2, '0')}`)
const LIMITS = { concurrency: 4, signal: new AbortController().signal }

function logsOf(): string {
  const folder = scratch()
  writeObjects(folder, Object.fromEntries(KEYS.map((key) => [key, `content of ${key}`])))
  return folder
}

/** What a copier reports of objects. */
async function copied(copier: Copier, objects: readonly ObjectInfo[]) {
  const failures: Failure[] = []
  let done = 0
  await copier.copy(
    (async function* () {
      yield* objects
    })(),
    { copied: (more) => (done += more), failed: (failure) => failures.push(failure), state: () => {} },
  )
  return { done, failures }
}

describe('copies object by object', () => {
  it('end at a full disk, which every further object would meet too', async () => {
    const from = folderStore(logsOf())
    let asked = 0
    const full: Store = {
      ...folderStore(scratch()),
      write: () => {
        asked += 1
        const error = new Error('ENOSPC: no space left on device, write')
        return Promise.reject(Object.assign(error, { code: 'ENOSPC', syscall: 'write' }))
      },
    }
    const objects = await all(from.list())
    await assert.rejects(copied(downloadCopier(from, full, LIMITS), objects), { code: 'ENOSPC' })
    assert.ok(asked <= 4, `${asked} objects were read`)
  })

  it('end when credentials expire, in one line whatever the key', async () => {
    const key = 'logs/a\nstage: all is staged'
    const expired: Store = {
      ...folderStore(logsOf()),
      read: () => Promise.reject(Object.assign(new Error('The provided token has expired.'), { name: 'ExpiredToken' })),
    }
    const copying = copied(downloadCopier(expired, folderStore(scratch()), LIMITS), [{ key, size: 1 }])
    await assert.rejects(copying, (error: Error) => {
      assert.match(error.message, /^download of "logs\/a\\nstage: all is staged": /)
      assert.doesNotMatch(error.message, /\n/)
      return true
    })
  })

  it('take what lies here for readable, whatever a report says of where it came from', async () => {
    const from = folderStore(logsOf())
    const objects = (await all(from.list())).map((object) => ({ ...object, storageClass: 'GLACIER' }))
    const { done, failures } = await copied(linkCopier(from, folderStore(scratch()), LIMITS), objects)
    assert.deepEqual([done, failures], [KEYS.length, []])
  })

  it('by links name what has changed and what is gone, and copy the rest', async () => {
    const logs = logsOf()
    const [from, to] = [folderStore(logs), folderStore(scratch())]
    const objects = await all(from.list())
    writeFileSync(join(logs, KEYS[3] ?? ''), 'another content')
    rmSync(join(logs, KEYS[7] ?? ''))
    const { done, failures } = await copied(linkCopier(from, to, LIMITS), objects)
    assert.equal(done, KEYS.length - 2)
    assert.deepEqual(
      failures.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
      [
        { key: KEYS[3], reason: 'changed in the logs since it was listed', kind: 'outdated' },
        { key: KEYS[7], reason: 'gone from the logs since it was listed', kind: 'outdated' },
      ],
    )
    assert.equal(readFileSync(to.localPath(KEYS[0] ?? ''), 'utf8'), `content of ${KEYS[0]}`)
  })
})
