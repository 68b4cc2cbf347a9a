import { dividedStore } from '../stores/divided.ts'
import type { Store } from '../stores/store.ts'

/** The files and folders of a run, as keys relative to it. */
export const paths = {
  ledger: 'run.json',
  lock: 'run.lock',
  manifest: 'manifest.csv',
  /** `key,size,etag,storage class,SHA-256` of every row of the manifest: what a proof needs. */
  selection: 'selection.csv',
  /** `key,reason` of every object that could not be copied. */
  failures: 'stage-failures.csv',
  staged: 'staged/',
  /** A folder for each job of S3 Batch Operations: its manifest and its report. */
  jobs: 'jobs/',
  pairs: 'pairs/',
  train: 'pairs/train/',
  holdout: 'pairs/holdout/',
  /** Headerless `entity,ip,training accesses,held-out accesses` of every IPv6 pair: IP Insights cannot take them. */
  ipv6: 'pairs/ipv6/',
  entities: 'entities.csv',
  /** Headerless `entity,ip,first,last,accesses` of every hour in which a pair was accessed. */
  times: 'times/',
  model: 'model/model.tar.gz',
  calibration: 'model/calibration.json',
  report: 'report.html',
  /** The record of a running endpoint, and its log. */
  endpoint: 'endpoint/endpoint.json',
  endpointLog: 'endpoint/endpoint.log',
  /** Drafts of an unfinished step; may be deleted at any time when no step runs. */
  tmp: 'tmp/',
} as const

/** What `score` judges unless it is told to judge another run. */
export const HOLDOUT = 'holdout'

/** Where the verdicts on something lie. @param judged `holdout`, or the id of the run that was judged */
export function scorePaths(judged: string) {
  const folder = `scores/${judged}/`
  return {
    folder,
    verdicts: `${folder}verdicts.ndjson`,
    /** The most anomalous of the flagged pairs, with what the logs say about them. */
    alerts: `${folder}alerts.ndjson`,
    /** Alerts for other systems: asff-0001.json …, ocsf.ndjson, findings.csv. */
    findings: `findings/${judged}/`,
    report: judged === HOLDOUT ? paths.report : `${folder}report.html`,
  }
}

/** The steps of the ledger that judged something and that showed it: `score` and `report` of the holdout, `score/<id>` of another run. */
export const scoreStep = (judged: string) => stepOn('score', judged)
export const reportStep = (judged: string) => stepOn('report', judged)

const stepOn = <S extends string>(step: S, judged: string): S | `${S}/${string}` =>
  judged === HOLDOUT ? step : `${step}/${judged}`

/** The folder of runs in a workspace. */
export const RUNS = 'runs/'

/** Where a workspace notes, for each source, which runs were named last. */
export const LATEST = 'latest/'

/** Where a workspace notes, for each source, which run's model is in service. */
export const MODELS = 'models/'

/** What the nights of each source have come to, a file for each day. */
export const NIGHTS = 'nights/'

/** In S3, the folder for the large part of runs, which can be made again. It expires sooner. */
const BULK = 'bulk/'

/** Keys and key prefixes of that part. The rest must outlive it: an endpoint may serve the model. */
const bulk: readonly string[] = [
  paths.manifest,
  paths.selection,
  paths.failures,
  paths.staged,
  paths.jobs,
  paths.pairs,
  paths.times,
  paths.tmp,
]

/** The folder of reports over several runs in a workspace. */
export const REPORTS = 'reports/'

/**
 * The files of a run as one store. In a folder they lie together. In S3 they lie in two places: lifecycle rules select objects by key
 * prefix, and tags would cost more than the objects.
 * @param root the workspace
 */
export function runStore(root: Store, id: string): Store {
  const place = `${RUNS}${id}/`
  return root.localPath === undefined ? dividedStore(root, place, `${BULK}${id}/`, bulk) : root.within(place)
}

/** URI of a large file of a run in S3, whether the run exists or not; without an id, of all runs. */
export const bulkUri = (workspace: string, id?: string, key = ''): string =>
  `${workspace.replace(/\/+$/, '')}/${BULK}${id === undefined ? '' : `${id}/${key}`}`

/** The URI prefixes of a run in S3. */
export const placesOf = ({ workspace, id }: { readonly workspace: string; readonly id: string }): string[] => [
  `${workspace}/${RUNS}${id}/`,
  bulkUri(workspace, id),
]
