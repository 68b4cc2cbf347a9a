import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imageOf, imageRegions } from '../../scripts/lib/aws/sagemaker/image.ts'
import type { UserError } from '../../scripts/lib/cli/errors.ts'
import images from './sagemaker/images.json' with { type: 'json' }

test('every region has the image that the SageMaker Python SDK names', () => {
  assert.equal(imageRegions.length, 37)
  assert.deepEqual(Object.fromEntries(imageRegions.map((region) => [region, imageOf(region)])), images.uris)
})

const nearest: [region: string, near: string][] = [
  ['ap-southeast-7', 'ap-southeast-1'],
  ['ap-southeast-6', 'ap-southeast-2'],
  ['ap-southeast-9', 'ap-southeast-1'],
  ['ap-east-2', 'ap-east-1'],
  ['mx-central-1', 'us-west-1'],
  ['sa-west-1', 'sa-east-1'],
  ['moon-1', 'us-east-1'],
]
for (const [region, near] of nearest)
  test(`${region} has none: ${near} is near`, () =>
    assert.throws(
      () => imageOf(region),
      (error: UserError) => {
        assert.equal(error.message, `SageMaker has no IP Insights in ${region}`)
        assert.match(error.hint ?? '', new RegExp(`nearest region that has it is ${near}:`))
        return true
      },
    ))
