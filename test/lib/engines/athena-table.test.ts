import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createTable, stagedTemplate } from '../../../scripts/lib/engines/athena/sql.ts'
import { columnsOf, ensureTable } from '../../../scripts/lib/engines/athena/table.ts'
import { cloudtrail } from '../../../scripts/lib/sources/cloudtrail.ts'

const WORKSPACE = 's3://org-staging/prestage'
const columns = async () =>
  columnsOf(await createTable({ source: cloudtrail, database: 'prestage' }, WORKSPACE)).map(([Name, Type]) => ({
    Name,
    Type,
  }))
const parameters = {
  'projection.run.type': 'injected',
  'storage.location.template': stagedTemplate(WORKSPACE),
}

/** A catalog, and what is asked to be created in it. */
function catalog(found: object | undefined, created: object | undefined = found) {
  const asked: string[] = []
  let now = found
  const athena = { database: 'prestage', table: async () => now as { Name: string } | undefined }
  const attempts = {
    run: async (name: string, _: string, sqlOf: (attempt: { name: string }) => unknown) => {
      asked.push(
        `${name}: ${String(await sqlOf({ name: 'x' }))
          .split(' ')
          .slice(0, 3)
          .join(' ')}`,
      )
      now = created
      return { id: '1', scannedBytes: 0, attempt: { name: 'x' } }
    },
  }
  return { asked, ensure: () => ensureTable(athena, attempts, cloudtrail, WORKSPACE) }
}

describe('the table of a source', () => {
  it('is created when it is missing, its database first', async () => {
    const { asked, ensure } = catalog(undefined, {
      Name: 'cloudtrail',
      Columns: await columns(),
      Parameters: parameters,
    })
    await ensure()
    assert.deepEqual(asked, ['database: create database if', 'table: create external table'])
  })

  it('is left alone when it is the right one, whatever else it has', async () => {
    const more = [...(await columns()), { Name: 'extra', Type: 'string' }]
    const { asked, ensure } = catalog({ Name: 'cloudtrail', Columns: more, Parameters: { ...parameters, a: 'b' } })
    await ensure()
    assert.deepEqual(asked, [])
  })

  const others: [what: string, change: (all: Awaited<ReturnType<typeof columns>>) => object, says: RegExp][] = [
    ['a column less', (all) => ({ Columns: all.slice(1), Parameters: parameters }), /no column eventtime/],
    [
      'another type',
      (all) => ({ Columns: [{ Name: 'eventtime', Type: 'timestamp' }, ...all.slice(1)], Parameters: parameters }),
      /column eventtime is timestamp, not string/,
    ],
    [
      'another place',
      (all) => ({
        Columns: all,
        Parameters: { ...parameters, 'storage.location.template': stagedTemplate('s3://other') },
      }),
      /it reads s3:\/\/other\/bulk/,
    ],
    [
      'no place of runs',
      (all) => ({ Columns: all, Parameters: {} }),
      /no location of runs; its run is not an injected partition/,
    ],
  ]
  for (const [what, change, says] of others)
    it(`is never changed: ${what}`, async () => {
      const { asked, ensure } = catalog({ Name: 'cloudtrail', ...change(await columns()) })
      await assert.rejects(ensure(), (error: Error) => {
        assert.match(
          error.message,
          /^Athena's table prestage\.cloudtrail is not the one for s3:\/\/org-staging\/prestage: /,
        )
        assert.match(error.message, says)
        return true
      })
      assert.deepEqual(asked, [])
    })
})
