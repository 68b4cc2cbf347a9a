import { choice, list, number, parsed, text, type Values } from '../lib/cli/options.ts'
import { awsOptions, ipv6Option, networksOption, runOptions } from '../lib/cli/shared-options.ts'
import { athenaOptions } from '../lib/engines/athena/athena.ts'
import { priorNames, rankNames } from '../lib/insights/rank.ts'
import { backendNames } from './backend.ts'
import { findingsOptions } from './findings/options.ts'

export const scoreOptions = {
  fromRun: text({
    about: 'judge all pairs of this run instead of the holdout; latest is the latest run of the same source',
    value: 'ID',
  }),
  pairs: list({
    about: 'judge the pairs in this file, without a run; needs --model, or the name of an --endpoint',
    value: 'FILE',
  }),
  model: text({
    about:
      'with --pairs: folder with model.tar.gz and calibration.json, or the s3://… that train --pairs wrote in SageMaker; current, in place of --run: the model that nightly has in service',
    value: 'DIR|current',
  }),
  scores: text({ about: 'folder for the verdicts when there is no run', value: 'DIR', default: 'scores' }),
  endpoint: parsed({
    about:
      'score through this endpoint: a URL, or the name of one in SageMaker (default, with a workspace in S3: the one that deploy made)',
    value: 'URL|NAME',
    parse: endpointIn,
  }),
  via: choice(backendNames, {
    about:
      'where to score: in this process, at an endpoint, or in a SageMaker batch transform (default: process; with a workspace in S3 or --endpoint: endpoint)',
  }),
  sagemakerRole: text({
    about: 'with --via transform: role for SageMaker (default: the role of the training job)',
    value: 'ARN',
  }),
  instanceType: text({
    about: 'with --via transform: instance type (default: by the size of the model)',
    value: 'TYPE',
  }),
  kmsKey: text({
    about:
      'with --via transform: encrypt its output, and its disk, with this key (default: its output, with the key of the bucket)',
    value: 'ARN',
  }),
  alertsPerDay: number({ about: 'alert budget per day; sets the threshold', default: 10, min: 0 }),
  threshold: number({ about: 'flag pairs that score below this, instead of --alerts-per-day', value: 'SCORE' }),
  rank: choice(rankNames, {
    about:
      "what ranks pairs: the score together with the evidence of the training pairs, or the score alone, which is IP Insights' own sequence (default: evidence where there are training pairs; score with --threshold)",
  }),
  prior: choice(priorNames, {
    about:
      'with --rank evidence, which entities attackers are thought to take: each alike, or each as often as it is used',
    default: 'even',
  }),
  minEvents: number({
    about: 'judge entities with at least this many accesses in training (default: as calibrated)',
    min: 1,
    integer: true,
  }),
  allow: list({
    about:
      'network that is never flagged; a file with one network per line; or a .yaml file of entries: entity and network, until when, why, by whom',
    value: 'CIDR|FILE',
  }),
  labels: text({ about: 'known attacks to measure against: source,entity,ip,kind,time', value: 'FILE' }),
  details: choice(['yes', 'no'], {
    about:
      'whether alerts say who it was, when and what was called, which takes one look at the logs; with a workspace in S3, Athena scans them',
    default: 'yes',
  }),
  ...networksOption,
  ...ipv6Option,
  ...findingsOptions,
  ...athenaOptions,
  ...runOptions,
  ...awsOptions,
}

export type ScoreOptions = Values<typeof scoreOptions>

/** A URL, or the name of a SageMaker endpoint. */
export const isUrl = (input: string): boolean => /^https?:\/\/[^/]/i.test(input) && URL.canParse(input)

function endpointIn(input: string): string {
  if (!isUrl(input) && !/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/.test(input))
    throw new Error('must be http://… or https://…, or the name of a SageMaker endpoint')
  return input
}
