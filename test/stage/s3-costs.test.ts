import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PRICES } from '../../scripts/lib/runs/cost.ts'
import { trailKey } from './logs.ts'
import { EXPECTED, fixture } from './sandbox.ts'

const key = (name: string): string => trailKey('111122223333', 'us-east-1', '20260302T1205Z', name)
const KMS = { algorithm: 'aws:kms', keyId: 'arn:aws:kms:us-east-1:111122223333:key/1234abcd' } as const

describe('the plan of a copy counts', () => {
  it('retrieval of logs that lie in a colder class, and --max-cost holds it', async () => {
    const { sandbox, stage } = await fixture()
    const before = (await stage(['--dry-run'])).result.estimatedUsd
    sandbox.s3.put('org-logs', key('cold'), 2e9, { storageClass: 'STANDARD_IA' })
    sandbox.s3.put('org-logs', key('colder'), 1e9, { storageClass: 'GLACIER_IR' })
    const { result } = await stage(['--dry-run'])
    assert.ok(Math.abs(result.estimatedUsd - before - 0.05 - 2 * PRICES.copyRequest) < 1e-9, `$${result.estimatedUsd}`)
    const { code, stderr } = await stage(['--max-cost', '0.04'])
    assert.equal(code, 3)
    assert.match(stderr, /1,000,000,000 bytes retrieved from GLACIER_IR/)
  })

  it('requests of KMS for logs that are encrypted with it, once their number is known', async () => {
    const { sandbox, stage } = await fixture()
    const plain = (await stage(['--dry-run'])).result.estimatedUsd
    for (const name of sandbox.s3.keys('org-logs'))
      sandbox.s3.put('org-logs', name, `content of ${name}`, { encryption: KMS })
    const { result } = await stage(['--dry-run'])
    assert.ok(Math.abs(result.estimatedUsd - plain - EXPECTED.length * PRICES.kmsRequest) < 1e-9)
    const withKey = await stage(['--dry-run', '--kms-key', KMS.keyId])
    const shared = Math.ceil(EXPECTED.length / 100) * PRICES.kmsRequest
    assert.ok(Math.abs(withKey.result.estimatedUsd - result.estimatedUsd - shared) < 1e-9)
  })

  it('nothing of KMS where the logs may not be looked at', async () => {
    const { sandbox, stage } = await fixture()
    const plain = (await stage(['--dry-run'])).result.estimatedUsd
    sandbox.s3.deny({ action: 's3:GetObject', resource: /^org-logs/ })
    const { result, stderr } = await stage(['--dry-run'])
    assert.equal(result?.estimatedUsd, plain, stderr)
  })
})

describe('--storage-class', () => {
  it('is a class that Athena can read: no archive', async () => {
    const { stage } = await fixture()
    for (const [name, says] of [
      ['GLACIER', /--storage-class "GLACIER": is an archive, from which Athena reads nothing/],
      ['DEEP_ARCHIVE', /is an archive/],
      ['standard_ia', /must be one of STANDARD, INTELLIGENT_TIERING, STANDARD_IA, ONEZONE_IA, GLACIER_IR/],
    ] as const) {
      const { code, stderr } = await stage(['--dry-run', '--storage-class', name])
      assert.equal(code, 2, stderr)
      assert.match(stderr, says)
    }
  })

  it('is warned of where copies are cheap to keep and dear to read, and its requests are counted', async () => {
    const { stage } = await fixture()
    const [plain, cold] = [await stage(['--dry-run']), await stage(['--dry-run', '--storage-class', 'GLACIER_IR'])]
    assert.doesNotMatch(plain.stderr, /storage-class/)
    assert.match(cold.stderr, /--storage-class GLACIER_IR: S3 charges every copy as 128 KiB at least, for 90 days/)
    const dearer = EXPECTED.length * (0.02 / 1000 - PRICES.copyRequest)
    assert.ok(Math.abs(cold.result.estimatedUsd - plain.result.estimatedUsd - dearer) < 1e-9)
  })
})
