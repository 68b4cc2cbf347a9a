/** Where things lie in a run, as keys relative to it. */
export const paths = {
  ledger: 'run.json',
  lock: 'run.lock',
  manifest: 'manifest.csv',
  /** `key,size,etag,storage class,SHA-256` of every row of the manifest: what a proof needs. */
  selection: 'selection.csv',
  /** `key,reason` of what could not be copied. */
  failures: 'stage-failures.csv',
  staged: 'staged/',
  /** A folder for each job of S3 Batch Operations: its manifest and its report. */
  jobs: 'jobs/',
  pairs: 'pairs/',
  train: 'pairs/train/',
  holdout: 'pairs/holdout/',
  entities: 'entities.csv',
  /** Headerless `entity,ip,first,last,accesses` of every hour in which a pair was accessed. */
  times: 'times/',
  model: 'model/model.tar.gz',
  calibration: 'model/calibration.json',
  verdicts: 'scores/verdicts.ndjson',
  anomalies: 'scores/anomalies.csv',
  /** Alerts for other systems: asff-0001.json …, ocsf.ndjson, findings.csv. */
  findings: 'findings/',
  report: 'report.html',
  /** What an endpoint left running notes about itself, and what it says. */
  endpoint: 'endpoint/endpoint.json',
  endpointLog: 'endpoint/endpoint.log',
  /** Drafts of an unfinished step; may be deleted at any time when no step runs. */
  tmp: 'tmp/',
} as const

/** Where runs lie, in the workspace. */
export const RUNS = 'runs/'

/** Where a workspace notes, for each source, which runs were named last. */
export const LATEST = 'latest/'

/** In a workspace in S3: where that part of runs lies which is large and can be made again. It expires sooner. */
export const BULK = 'bulk/'

/** That part: keys, and beginnings of keys. The rest must outlive it, as a model does that an endpoint serves. */
export const bulk: readonly string[] = [
  paths.manifest,
  paths.selection,
  paths.failures,
  paths.staged,
  paths.jobs,
  paths.pairs,
  paths.times,
  paths.tmp,
]

/** Where pages over several runs lie, in the workspace. */
export const REPORTS = 'reports/'
