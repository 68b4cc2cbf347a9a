import assert from 'node:assert/strict'
import { test } from 'node:test'
import { validated } from '../../scripts/lib/insights/hyperparameters.ts'
import { type TrainingJobSpec, trainingJobName } from '../../scripts/train/sagemaker/spec.ts'

const hyperparameters = validated({ num_entity_vectors: 1000, vector_dim: 8 })
const spec: TrainingJobSpec = {
  id: 'waf-20261120T0000Z-20261121T0000Z-abcdef',
  workspace: 's3://org-staging/prestage',
  region: 'us-east-1',
  image: '404615174143.dkr.ecr.us-east-1.amazonaws.com/ipinsights:1',
  hyperparameters,
  train: 's3://org-staging/pairs/train/',
  validation: 's3://org-staging/pairs/holdout/',
  digest: 'a'.repeat(64),
  output: 's3://org-staging/model',
  instanceType: 'ml.m5.large',
  volumeGB: 6,
  maxRuntimeSeconds: 3600,
  maxWaitSeconds: undefined,
  subnets: [],
  securityGroups: [],
  kmsKey: undefined,
  tags: [],
}

const others: Partial<TrainingJobSpec>[] = [
  { hyperparameters: { ...hyperparameters, epochs: 11 } },
  { digest: 'b'.repeat(64) },
  { train: 's3://org-staging/other/train/' },
  { validation: undefined },
  { output: 's3://org-staging/other' },
  { instanceType: 'ml.m5.xlarge' },
  { maxWaitSeconds: 7200 },
  { subnets: ['subnet-1'] },
  { kmsKey: 'arn:aws:kms:us-east-1:111122223333:key/1234' },
]

test('a job is found again by its name: other settings or other pairs have another one, other tags the same', () => {
  const name = trainingJobName(spec, 1)
  assert.match(name, /^prestage-waf-20261120T0000Z-20261121T0000Z-abcdef-[0-9a-f]{6}$/)
  assert.equal(trainingJobName({ ...spec, tags: [{ Key: 'team', Value: 'a' }] }, 1), name)
  assert.equal(trainingJobName(spec, 2), `${name}-2`)
  const names = others.map((change) => trainingJobName({ ...spec, ...change }, 1))
  assert.equal(new Set([name, ...names]).size, others.length + 1)
})
