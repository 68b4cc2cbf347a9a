import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startedOf, world } from './athena-run.ts'

const MOMENTS = ['classifying', 'pairs of train', 'reading them back', 'counting entities', 'cleaning up']

describe('extraction with Athena that was killed is taken up again: nothing is asked twice', () => {
  for (const moment of MOMENTS)
    it(`when it said: ${moment}`, async () => {
      const all = await world()
      const { signal, stderr } = await all.extract(['--yes'], {
        onStderr: (soFar, kill) => {
          if (soFar.includes(moment)) kill('SIGKILL')
        },
      })
      assert.equal(signal, 'SIGKILL', stderr)
      const { result, stderr: again } = await all.extract()
      assert.ok(result, again)
      await all.assertExtracted()
      assert.equal(startedOf(all, /format = 'PARQUET'/), 1)
    })
})
