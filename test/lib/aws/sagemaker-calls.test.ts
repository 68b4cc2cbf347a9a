import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { onceVisible } from '../../../scripts/lib/aws/sagemaker/calls.ts'

const refused = (message: string) => Object.assign(new Error(message), { name: 'ValidationException' })

describe('a call that rests on something new', () => {
  const unseen = [
    'Could not find model "arn:aws:sagemaker:us-east-1:111122223333:model/m".',
    'Could not find endpoint configuration "arn:aws:sagemaker:us-east-1:111122223333:endpoint-config/c".',
    'EndpointConfig prestage-c does not exist.',
    'Model m not found.',
  ]
  for (const message of unseen)
    it(`is made again after "${message}"`, async () => {
      const pauses: number[] = []
      const call = async () => {
        if (pauses.length < 3) throw refused(message)
        return 'done'
      }
      assert.equal(await onceVisible(call, async (ms) => void pauses.push(ms)), 'done')
      assert.deepEqual(pauses, [100, 200, 500])
    })

  it('is not made again after anything else', async () => {
    const call = () => Promise.reject(refused('Could not find endpoint "e".'))
    await assert.rejects(
      onceVisible(call, () => assert.fail('a pause')),
      /Could not find endpoint/,
    )
  })
})
