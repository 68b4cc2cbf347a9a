import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { failureFor } from '../../scripts/lib/aws/sagemaker/failures.ts'
import { resourceName } from '../../scripts/lib/aws/sagemaker/names.ts'
import { INSTANCES } from '../../scripts/lib/runs/cost.ts'
import {
  instanceFor,
  runtimeFor,
  secondsOf,
  sharingShare,
  vectorsFor,
  volumeFor,
  type Work,
  whyInstance,
} from '../../scripts/train/sagemaker/spec.ts'

const MILLION = 1_000_000

describe('the size of a job', () => {
  const vectors: [entities: number, dim: number, vectors: number][] = [
    [12, 32, 1000],
    [9000, 128, 90_000],
    [MILLION, 32, 8_388_608],
    [10 * MILLION, 128, 20 * MILLION],
  ]
  for (const [entities, dim, expected] of vectors)
    it(`${entities} entities of ${dim} dimensions: ${expected} vectors`, () =>
      assert.equal(vectorsFor(entities, dim), expected))

  it('the share of entities that share a vector is that of hashing', () => {
    const shares = [2, 5, 10, 20, 100].map((each) => Math.round(1000 * sharingShare(1, each)) / 1000)
    assert.deepEqual(shares, [0.393, 0.181, 0.095, 0.049, 0.01])
  })

  const works: [what: string, work: Partial<Work>, instance: string, why: RegExp][] = [
    ['little', {}, 'ml.m5.large', /^the smallest for 2\.1 GB of memory and at most an hour$/],
    ['much to do', { pairs: 10 * MILLION, epochs: 5 }, 'ml.m5.2xlarge', /for 2\.1 GB of memory and at most an hour$/],
    [
      'a large model',
      { entityVectors: 10 * MILLION, dim: 128 },
      'ml.m5.2xlarge',
      /for 22\.\d GB of memory and at most an hour$/,
    ],
    ['more than there is', { entityVectors: 10 * MILLION, dim: 1024 }, 'ml.m5.12xlarge', /for 166 GB of memory/],
  ]
  for (const [what, change, instance, why] of works)
    it(`${what}: ${instance}`, () => {
      const work = { pairs: 1000, epochs: 5, bytes: 30_000, entityVectors: 1000, dim: 32, ...change }
      assert.equal(instanceFor(work), instance)
      assert.match(whyInstance(work, instance, undefined), why)
      assert.ok(secondsOf(work, instance) >= 240)
      assert.ok(volumeFor(work) * 1e9 > 2 * work.entityVectors * work.dim * 4)
    })

  it('an instance that somebody named may be too small, and is said to be', () => {
    const work = { pairs: 1000, epochs: 5, bytes: 30_000, entityVectors: 10 * MILLION, dim: 128 }
    assert.match(
      whyInstance(work, 'ml.m5.large', 'ml.m5.large'),
      /^which may be too small: training may take 22\.\d GB/,
    )
    assert.match(whyInstance(work, 'ml.m5.4xlarge', 'ml.m5.4xlarge'), /^as you named it/)
    assert.match(whyInstance(work, 'ml.unknown', 'ml.unknown'), /^as you named it/)
  })

  it('more data never get a smaller instance', () => {
    const memory = [1, 10, 100].map((times) => {
      const type = instanceFor({ pairs: times * MILLION, epochs: 5, bytes: times * 1e9, entityVectors: 1000, dim: 32 })
      return INSTANCES[type]?.memoryGiB ?? 0
    })
    assert.deepEqual(
      memory,
      memory.toSorted((a, b) => a - b),
    )
  })

  it('a job may take four times as long as it should, in hours, five days at most', () =>
    assert.deepEqual([240, 900, 901, 1e9].map(runtimeFor), [3600, 3600, 7200, 432_000]))
})

describe('names', () => {
  it('hold the run and the suffix, and fit', () => {
    assert.equal(resourceName('waf-1-abcdef', 'c1'), 'prestage-waf-1-abcdef-c1')
    const long = resourceName('cloudtrail-20260302T000000Z-20260303T000000Z-abcdef', 'c123456-12')
    assert.equal(long.length, 63)
    assert.match(long, /^prestage-cloudtrail-20260302T000000Z.*-abcdef-c123456-12$/)
    assert.match(resourceName('a_b.c', 'x'), /^prestage-a-b-c-x$/)
  })
})

describe('a failure that is not known', () => {
  it('is quoted, with where its log is', () => {
    const { why, hint, passes } = failureFor('training', 'j', 'Something   odd\n')
    assert.deepEqual([why, passes], ['Something odd', false])
    assert.match(hint, /aws logs tail .* j /)
  })
})
