import type { DoneBy, Results, TrainResult } from '../../scripts/lib/runs/results.ts'

// Whole results of steps, for tests that care about some of their members.

export const stageResult = (change: Partial<Results['stage']> = {}): Results['stage'] => ({
  objects: 2,
  bytes: 100,
  copied: 2,
  skipped: 0,
  failed: 0,
  listRequests: 1,
  estimatedUsd: 0,
  staged: 'staged/',
  manifest: 'manifest.csv',
  selectedAt: '2026-12-01T00:00:00.000Z',
  final: true,
  completeAfter: '2026-11-30T00:00:00.000Z',
  digest: 's',
  ...change,
})

export const extractResult = (change: Partial<Results['extract']> = {}): Results['extract'] => ({
  events: 100,
  pairs: 100,
  trainPairs: 80,
  holdoutPairs: 20,
  entities: 12,
  entity: 'principal',
  includePrivate: false,
  dropped: {},
  files: [],
  skippedFiles: [],
  cutoff: '2026-11-20T18:00:00.000Z',
  digest: 'e',
  ...change,
})

const training = {
  model: 'model.tar.gz',
  modelBytes: 1000,
  calibration: null,
  pairs: 80,
  holdoutPairs: 20,
  entities: 12,
  sharingEntities: 0,
  epochs: 5,
  vectorDim: 8,
  numEntityVectors: 1000,
  trainSeconds: 60,
  auc: null,
  baselines: {},
  threshold: null,
  alertsPerDay: 10,
  digest: 't',
}

export const trainResult = (change: Partial<DoneBy<TrainResult, 'local'>> = {}): TrainResult => ({
  backend: 'local',
  ...training,
  seed: 1,
  ...change,
})

export const trainingJobResult = (change: Partial<DoneBy<TrainResult, 'sagemaker'>> = {}): TrainResult => ({
  backend: 'sagemaker',
  ...training,
  job: 'prestage-job',
  image: '382416733822.dkr.ecr.us-east-1.amazonaws.com/ipinsights:1',
  region: 'us-east-1',
  instanceType: 'ml.m5.large',
  billedSeconds: 60,
  usd: 0.002,
  ...change,
})

export const scoreResult = (change: Partial<Results['score']> = {}): Results['score'] => ({
  rank: 'score',
  prior: null,
  of: 'holdout',
  scored: 20,
  unseen: 0,
  sparse: 0,
  flagged: 1,
  allowed: 0,
  threshold: -1,
  alertsPerDay: 10,
  minEvents: 5,
  allow: [],
  output: 'verdicts.ndjson',
  anomalies: 'anomalies.csv',
  attacks: null,
  digest: 'v',
  ...change,
})
