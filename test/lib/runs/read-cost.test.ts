import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type CostItem, PRICES, totalOf } from '../../../scripts/lib/runs/cost.ts'
import {
  copiesOf,
  copyCosts,
  type Load,
  readCosts,
  storageClassWarning,
  withObject,
} from '../../../scripts/lib/runs/read-cost.ts'

const GB = 1e9
const loadOf = (...objects: { size: number; storageClass?: string }[]): Load =>
  objects.reduce<Load>(withObject, { objects: 0, bytes: 0 })

const thousand = (storageClass: string, kms?: 'object' | 'bucket'): Load => ({
  ...copiesOf({ objects: 1000, bytes: 2 * GB }, storageClass),
  ...(kms && { kms }),
})

describe('what it costs to read objects', () => {
  const cases: [what: string, load: Load, usd: number][] = [
    ['in STANDARD, only the requests', thousand('STANDARD'), 0.0004],
    ['in STANDARD_IA, dearer requests and retrieval', thousand('STANDARD_IA'), 0.001 + 0.02],
    ['in GLACIER_IR, more of both', thousand('GLACIER_IR'), 0.01 + 0.06],
    ['encrypted with KMS, a request for each', thousand('STANDARD', 'object'), 0.0004 + 0.003],
    ['with the data key of a bucket, one for a hundred', thousand('STANDARD', 'bucket'), 0.0004 + 0.00003],
    ['none of them', { objects: 0, bytes: 0 }, 0],
  ]
  for (const [what, load, usd] of cases)
    it(what, () => assert.ok(Math.abs(totalOf(readCosts(load)) - usd) < 1e-12, `${totalOf(readCosts(load))}`))

  it('counts each class of a mixture', () => {
    const load = loadOf({ size: GB }, { size: GB, storageClass: 'STANDARD_IA' }, { size: 1, storageClass: 'GLACIER' })
    assert.deepEqual(load, { objects: 3, bytes: 2 * GB + 1, cold: { STANDARD_IA: { objects: 1, bytes: GB } } })
    assert.ok(Math.abs(totalOf(readCosts(load)) - (2 * PRICES.getRequest + 0.001 / 1000 + 0.01)) < 1e-12)
  })
})

describe('what it costs to copy objects within S3', () => {
  const each = (items: CostItem[]) => items.map(({ what, count }) => `${count} ${what}`)
  const load = { objects: 1000, bytes: GB }

  it('is the request, by the class of the copies', () => {
    assert.deepEqual(
      [undefined, 'STANDARD_IA', 'GLACIER_IR'].map((name) => totalOf(copyCosts(load, name))),
      [0.005, 0.01, 0.02],
    )
  })

  it('and retrieval, and KMS on both sides', () =>
    assert.deepEqual(each(copyCosts({ ...thousand('STANDARD_IA', 'object') }, 'STANDARD', 'arn:aws:kms:…')), [
      '1000 COPY requests',
      '2000000000 bytes retrieved from STANDARD_IA',
      '1000 KMS requests to read',
      '10 KMS requests to write',
    ]))
})

describe('a storage class of copies', () => {
  it('that is cheap to keep is warned of', () => {
    assert.match(storageClassWarning('STANDARD_IA') ?? '', /128 KiB at least, for 30 days at least/)
    assert.match(storageClassWarning('GLACIER_IR') ?? '', /for 90 days at least/)
  })
  it('of the others there is nothing to say', () =>
    assert.deepEqual([undefined, 'STANDARD', 'INTELLIGENT_TIERING'].map(storageClassWarning), [
      undefined,
      undefined,
      undefined,
    ]))
})
