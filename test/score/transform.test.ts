import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseCalibration } from '../../scripts/lib/insights/calibration.ts'
import { BLOCK, linked, linkedRows, unlinked } from '../../scripts/score/sagemaker/transform-rows.ts'
import { BUCKET, ROLE, WORKSPACE } from '../support/run-in-s3.ts'
import { runScript } from '../support/run-script.ts'
import { fixture } from './s3-sandbox.ts'

const VIA = ['--via', 'transform', '--sagemaker-role', ROLE, '--yes']
const FAST = { sagemaker: { pace: 'instant' } } as const

/** The transform jobs of a sandbox, by state. */
const jobs = ({ sandbox }: Awaited<ReturnType<typeof fixture>>) =>
  [...sandbox.sagemaker.transformJobs.all.values()].map(({ name, status }) => ({ name, status }))

describe('a batch transform', () => {
  test('the same verdicts as on this machine; tagged, and only its answers are left over', async () => {
    const aws = await fixture(FAST, { calibrated: true })
    const result = await aws.done('score', VIA)
    const here = await runScript('score', ['--workspace', aws.workspace, '--output', 'json'])
    assert.equal(result.digest, (JSON.parse(here.stdout) as { digest: string }).digest)
    const [job] = jobs(aws)
    assert.deepEqual(result.by, { via: 'transform', job: job?.name, region: 'us-east-1', instanceType: 'ml.m5.xlarge' })
    assert.match(job?.name ?? '', new RegExp(`^prestage-${aws.id}-[0-9a-f]{6}$`))
    const { transformJobs, models, shared: all } = aws.sandbox.sagemaker
    for (const { arn } of [...transformJobs.all.values(), ...models.all.values()])
      assert.deepEqual(all.tags.of(arn), { 'prestage:run': aws.id, 'prestage:workspace': WORKSPACE })
    const left = aws.sandbox.s3.keys(BUCKET, aws.at('tmp/')).map((key) => key.split('/').slice(-2).join('/'))
    assert.deepEqual(left, ['out/pairs.csv.out'])
    assert.equal((await aws.done('score', VIA)).repeated, true)
  })

  test('another budget of alerts asks nothing anew of the model, and is not to be paid for', async () => {
    const aws = await fixture(FAST, { calibrated: true })
    const { threshold } = await aws.done('score', VIA)
    const free = [...VIA.slice(0, -1), '--alerts-per-day']
    const second = await aws.done('score', [...free, '1'])
    assert.notEqual(second.threshold, threshold)
    assert.equal(second.estimatedUsd, 0)
    assert.equal((await aws.done('score', [...free, '1', '--dry-run'])).dryRun, true)
    // One that an earlier budget has left noted, too.
    assert.equal((await aws.done('score', [...free, '2'])).estimatedUsd, 0)
    assert.equal(jobs(aws).length, 1)
    const paid: [what: string, args: string[]][] = [
      ['other pairs', ['--min-events', '2']],
      ['another instance', ['--instance-type', 'ml.m5.large']],
      ['another key', ['--kms-key', 'arn:aws:kms:us-east-1:111122223333:key/k1']],
      ['a second time', ['--overwrite']],
    ]
    for (const [what, args] of paid) {
      const { code, stderr } = await aws.script('score', [...free, '3', ...args])
      assert.equal(code, 3, `${what}: ${stderr}`)
      assert.match(stderr, /about \$0\.0[12]/, what)
    }
    for (const key of aws.sandbox.s3.keys(BUCKET, aws.at('tmp/'))) aws.sandbox.s3.delete(BUCKET, key)
    const gone = await aws.script('score', [...free, '3'])
    assert.equal(gone.code, 3, gone.stderr)
    assert.equal(jobs(aws).length, 1)
  })

  test('without a calibration a first transform makes it', async () => {
    const aws = await fixture(FAST)
    const preview = await aws.done('score', [...VIA, '--dry-run'])
    assert.equal(preview.threshold, null)
    assert.match(String(preview.backend), /^two batch transforms, the first to calibrate, on ml\.m5\.xlarge/)
    assert.equal(jobs(aws).length, 0)
    await aws.done('score', VIA)
    const made = parseCalibration((await aws.text('model/calibration.json')) ?? '')
    assert.deepEqual(made, parseCalibration(readFileSync(aws.local.path('model/calibration.json'), 'utf8')))
    assert.equal(jobs(aws).length, 2)
  })

  test('it is paid for: asked first, and kept below a limit', async () => {
    const aws = await fixture(FAST, { calibrated: true })
    const asked = await aws.script('score', ['--via', 'transform'])
    assert.equal(asked.code, 3)
    assert.match(asked.stderr, /about \$0\.02/)
    assert.match(
      asked.stderr,
      /score by a batch transform on ml\.m5\.xlarge in us-east-1 \(AWS's table has ml\.m5\.large for a model of .*B\) needs a/,
    )
    const dear = await aws.script('score', ['--via', 'transform', '--max-cost', '0.001'])
    assert.equal(dear.code, 3)
    assert.equal(jobs(aws).length, 0)
    const odd = await aws.script('score', ['--via', 'transform', '--instance-type', 'ml.x9.huge', '--max-cost', '9'])
    assert.equal(odd.code, 3)
    assert.match(odd.stderr, /cost unknown: this instance type is in no price table here/)
  })

  test("a model of several gigabytes gets the instance of AWS's table; a smaller one is doubted", async () => {
    const aws = await fixture(FAST, { calibrated: true })
    const ledger = JSON.parse((await aws.text('run.json')) ?? '')
    Object.assign(ledger.steps.train.result, { numEntityVectors: 10_000_000, vectorDim: 128 })
    aws.sandbox.s3.put(BUCKET, aws.at('run.json'), JSON.stringify(ledger))
    const plan = await aws.done('score', [...VIA, '--dry-run'])
    assert.match(String(plan.backend), /transform on ml\.m5\.4xlarge .*has ml\.m5\.4xlarge for a model of 5\.1 GB/)
    const small = await aws.done('score', [...VIA, '--dry-run', '--instance-type', 'ml.m5.xlarge'])
    assert.match(String(small.backend), /on ml\.m5\.xlarge in us-east-1 \(which may be too small: AWS's table has/)
  })

  test('Ctrl-C leaves the job running and says how to stop it; the same command finds it again', async () => {
    const aws = await fixture({ sagemaker: { pace: 'manual' } }, { calibrated: true })
    const { code, stderr } = await aws.script('score', VIA, {
      env: aws.sandbox.env,
      onStderr: (text, kill) => /InProgress/.test(text) && kill('SIGINT'),
    })
    assert.equal(code, 130)
    const [job] = jobs(aws)
    assert.match(
      stderr,
      new RegExp(`transform job ${job?.name} continues and is paid for; the same command finds it again`),
    )
    assert.match(stderr, /aws sagemaker stop-transform-job --transform-job-name prestage-\S+ --region us-east-1/)
    await aws.sandbox.sagemaker.settle()
    await aws.done('score', VIA)
    assert.equal(aws.sandbox.requests.of('CreateTransformJob'), 1)
    assert.equal(aws.sandbox.requests.of('CreateModel'), 1)
  })

  for (const operation of ['PutObject', 'CreateModel', 'CreateTransformJob'])
    test(`killed at ${operation}, nothing is made twice`, async () => {
      const aws = await fixture(FAST, { calibrated: true })
      const before = aws.sandbox.requests.of(operation)
      const killWhen = () => aws.sandbox.requests.of(operation) > before + (operation === 'PutObject' ? 2 : 0)
      await aws.script('score', VIA, { env: aws.sandbox.env, killWhen })
      const result = await aws.done('score', VIA)
      assert.equal(jobs(aws).length, 1)
      assert.equal(aws.sandbox.sagemaker.models.all.size, 1)
      assert.equal((await aws.verdicts()).length, Number(result.scored) + Number(result.unseen) + Number(result.sparse))
    })

  test('a lost answer to CreateTransformJob makes no second job', async () => {
    const aws = await fixture(FAST, { calibrated: true })
    aws.sandbox.faults.add({ operation: 'CreateTransformJob', times: 1, cut: 'after' })
    await aws.done('score', VIA)
    assert.equal(jobs(aws).length, 1)
  })

  test('a model and a job that are not seen at once are looked for again', async () => {
    const aws = await fixture({ sagemaker: { pace: 'instant', unseenFor: 2 } }, { calibrated: true })
    await aws.done('score', VIA)
    assert.deepEqual([jobs(aws).length, aws.sandbox.sagemaker.models.all.size], [1, 1])
  })

  test('blank lines between the answers of two payloads are no answers', async () => {
    const aws = await fixture({ sagemaker: { pace: 'instant', doubledNewlines: true } }, { calibrated: true })
    const result = await aws.done('score', VIA)
    assert.equal((await aws.verdicts()).length, Number(result.scored) + Number(result.unseen) + Number(result.sparse))
  })

  test('a key encrypts the answers, and disks that are not of the instance itself', async () => {
    const key = ['--kms-key', 'arn:aws:kms:us-east-1:111122223333:key/1234', '--max-cost', '9']
    for (const [type, ofDisk] of [
      ['ml.m5.xlarge', true],
      ['ml.g4dn.xlarge', false],
    ] as const) {
      const aws = await fixture(FAST, { calibrated: true })
      await aws.done('score', [...VIA, ...key, '--instance-type', type])
      const [job] = aws.sandbox.sagemaker.transformJobs.all.values()
      assert.equal(job?.request.TransformOutput?.KmsKeyId, key[1])
      assert.equal(job?.request.TransformResources?.VolumeKmsKeyId, ofDisk ? key[1] : undefined, type)
    }
  })

  test('the key of the bucket encrypts the answers, where no other is named', async () => {
    const keyId = 'arn:aws:kms:us-east-1:111122223333:key/5678'
    const buckets = { [BUCKET]: { encryption: { algorithm: 'aws:kms', keyId } } } as const
    const aws = await fixture({ ...FAST, buckets }, { calibrated: true })
    await aws.done('score', VIA)
    const [job] = aws.sandbox.sagemaker.transformJobs.all.values()
    assert.equal(job?.request.TransformOutput?.KmsKeyId, keyId)
    assert.equal(job?.request.TransformResources?.VolumeKmsKeyId, undefined)
    // Found again by its key: another budget of alerts asks nothing anew.
    assert.equal((await aws.done('score', [...VIA, '--alerts-per-day', '1'])).estimatedUsd, 0)
  })

  const failures: [reason: string, says: RegExp][] = [
    ['CapacityError: Unable to provision requested ML compute capacity.', /AWS has no such instance free/],
    [
      'ClientError: AccessDenied (403) when calling GetObject',
      /the role of --sagemaker-role may not do what is needed/,
    ],
    ['', /SageMaker does not say why/],
  ]
  for (const [reason, says] of failures)
    test(`a failure in words, and another job afterwards: ${reason || 'no reason'}`, async () => {
      const aws = await fixture(FAST, { calibrated: true })
      aws.sandbox.sagemaker.settings.failures = [{ kind: 'transform', stage: 'Transforming', reason, times: 1 }]
      const { code, stderr } = await aws.script('score', VIA)
      assert.equal(code, 1)
      assert.match(stderr, says)
      await aws.done('score', VIA)
      assert.deepEqual(
        jobs(aws).map(({ status }) => status),
        ['Failed', 'Completed'],
      )
    })

  test('a quota, and a role that nobody knows', async () => {
    const aws = await fixture(FAST, { calibrated: true })
    const unknown = await aws.script('score', ['--via', 'transform', '--yes'])
    assert.equal(unknown.code, 2)
    assert.match(unknown.stderr, /a transform needs the role that SageMaker works under/)
    aws.sandbox.sagemaker.settings.quota = { 'ml.m5.xlarge for transform job usage': 0 }
    const over = await aws.script('score', VIA)
    assert.match(over.stderr, /"ml\.m5\.xlarge for transform job usage" is 0/)
    assert.match(over.stderr, /name another --instance-type/)
  })

  test('answers that are not one for each line are refused, and the old verdicts stay', async () => {
    const aws = await fixture({ sagemaker: { pace: 'manual' } }, { calibrated: true })
    aws.sandbox.s3.put(BUCKET, aws.at('scores/holdout/verdicts.ndjson'), 'old')
    const spoil = async (change: (lines: string[]) => string[]) => {
      const running = aws.script('score', [...VIA, '--overwrite'])
      const before = jobs(aws).length
      while (jobs(aws).length === before) await new Promise((resolve) => setTimeout(resolve, 20))
      await aws.sandbox.sagemaker.settle()
      const [key = ''] = aws.sandbox.s3.keys(BUCKET, aws.at('tmp/transform/')).filter((key) => key.endsWith('.out'))
      const lines = (await aws.sandbox.s3.get(BUCKET, key)).toString().trimEnd().split('\n')
      aws.sandbox.s3.put(BUCKET, key, `${change(lines).join('\n')}\n`)
      const { code, stderr } = await running
      assert.equal(code, 1)
      assert.equal(await aws.text('scores/holdout/verdicts.ndjson'), 'old')
      return stderr
    }
    assert.match(await spoil((lines) => lines.slice(1)), /answers to \d+ lines, so none can be trusted/)
    assert.match(await spoil((lines) => [...lines, lines[0] as string]), /answers to \d+ lines, so none can be trusted/)
    assert.match(await spoil((lines) => ['{"dot_product":"NaN"}', ...lines.slice(1)]), /answer 1 has no dot_product/)
  })
})

describe('the order of answers', () => {
  /** Every line is a number, and the model answers with it. */
  const answersTo = async function* (lines: Iterable<string>) {
    for (const line of lines) yield Number(line)
  }
  const numbers = (n: number) => Array.from({ length: n }, (_, i) => String(i * 7 + 1))
  const all = async (answers: AsyncIterable<number>) => {
    const found: number[] = []
    for await (const answer of answers) found.push(answer)
    return found
  }

  test('links are put in and taken out again', () =>
    fc.assert(
      fc.asyncProperty(fc.constantFrom(0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 5 * BLOCK + 3), async (rows) => {
        const sent = [...linked(numbers(rows))]
        assert.equal(sent.length, linkedRows(rows))
        assert.deepEqual(await all(unlinked(answersTo(sent), rows, 'out')), numbers(rows).map(Number))
      }),
      { numRuns: 20 },
    ))

  test('a block in another place, a lost line and one too many are noticed', async () => {
    const rows = 8 * BLOCK - 4
    const sent = [...linked(numbers(rows))]
    for (const size of [BLOCK, BLOCK + 1, 700])
      for (let at = 0; at + 2 * size <= sent.length; at += size) {
        const [one, two] = [sent.slice(at, at + size), sent.slice(at + size, at + 2 * size)]
        const swapped = [...sent.slice(0, at), ...two, ...one, ...sent.slice(at + 2 * size)]
        await assert.rejects(all(unlinked(answersTo(swapped), rows, 'out')), /out: line \d+ answers to another pair/)
      }
    const shifted = [...sent.slice(0, 10), ...sent.slice(11), '1']
    await assert.rejects(all(unlinked(answersTo(shifted), rows, 'out')), /out: line \d+ answers to another pair/)
    await assert.rejects(all(unlinked(answersTo(sent.slice(0, -1)), rows, 'out')), /out: 4,001 answers to 4,002 lines/)
    await assert.rejects(all(unlinked(answersTo([...sent, '1']), rows, 'out')), /out: 4,003 answers to 4,002 lines/)
  })
})
