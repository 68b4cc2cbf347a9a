import { createHash } from 'node:crypto'
import { partitionOf } from '../lib/aws/arn.ts'
import { csvCell, shortened, spelledOut } from '../lib/cli/format.ts'
import type { Judged } from '../lib/runs/nights.ts'
import { scorePaths } from '../lib/runs/paths.ts'
import type { Window } from '../lib/runs/window.ts'
import { wantedFindings } from '../score/findings/options.ts'
import { partLines } from './drift.ts'
import { runOfNight, type Work } from './work.ts'

/** What one finding about a drift says. */
interface About {
  readonly id: string
  readonly source: string
  readonly title: string
  readonly text: string
  readonly from: Date
  readonly to: Date
  readonly at: Date
}

/** One finding about the model that no longer fits, beside those of the day, in the same formats. @returns URIs */
export async function driftFindings(work: Work, { from, to }: Window, judged: Judged): Promise<string[]> {
  const { options, source } = work
  const { drift, model, run } = judged
  if (drift?.isTold !== true) return []
  const wanted = wantedFindings({ accounts: options.account, regions: options.region }, options)
  const { account, region, formats = [] } = wanted ?? {}
  const day = from.toISOString().slice(0, 10)
  const hash = createHash('sha256')
    .update(JSON.stringify([source, account, day]))
    .digest('hex')
    .slice(0, 32)
  const about = {
    id: `prestage/${source}/${account ?? 'any-account'}/drift/${day}/${hash}`,
    source,
    title: `The model of ${source} no longer fits ${day}`,
    text: shortened(spelledOut([...drift.reasons, ...partLines(drift)].join('; ')), 1024),
    ...{ from, to, at: work.context.now() },
  }
  const store = (await runOfNight(work, model)).store.within(scorePaths(run).findings)
  const written: string[] = []
  for (const format of formats) {
    const [key, content] = contentOf(format, about, { account, region })
    await store.write(key, content)
    written.push(store.uriOf(key))
  }
  return written
}

type Hub = Readonly<Record<'account' | 'region', string | undefined>>

function contentOf(format: string, about: About, hub: Hub): [key: string, content: string] {
  if (format === 'asff') return ['asff-drift.json', `[\n${JSON.stringify(asffOfDrift(about, hub))}\n]\n`]
  if (format === 'ocsf') return ['ocsf-drift.ndjson', `${JSON.stringify(ocsfOfDrift(about, hub))}\n`]
  const { id, title, text, from, to } = about
  const cells = [id, from.toISOString(), to.toISOString(), title, text]
  return ['drift.csv', `id,from,to,title,text\n${cells.map(csvCell).join(',')}\n`]
}

/** Lengths and terms: AwsSecurityFinding in the Security Hub API reference. */
function asffOfDrift({ id, source, title, text, from, to, at }: About, { account = '', region = '' }: Hub) {
  const severity = { Label: 'MEDIUM' }
  const types = ['Unusual Behaviors/Network Flow']
  return {
    SchemaVersion: '2018-10-08',
    Id: id,
    ProductArn: `arn:${partitionOf(region)}:securityhub:${region}:${account}:product/${account}/default`,
    GeneratorId: `prestage/ip-insights/${source}/drift`,
    AwsAccountId: account,
    Types: types,
    FirstObservedAt: from.toISOString(),
    LastObservedAt: to.toISOString(),
    CreatedAt: from.toISOString(),
    UpdatedAt: at.toISOString(),
    Severity: severity,
    Title: shortened(title, 256),
    Description: text,
    Resources: [{ Type: 'AwsAccount', Id: `AWS::::Account:${account}`, Region: region }],
    RecordState: 'ACTIVE',
    FindingProviderFields: { Severity: severity, Types: types },
  }
}

/** https://schema.ocsf.io/1.3.0/classes/detection_finding */
const ocsfOfDrift = ({ id, source, title, text, from, to, at }: About, { account, region }: Hub) => ({
  activity_id: 1,
  activity_name: 'Create',
  category_uid: 2,
  category_name: 'Findings',
  class_uid: 2004,
  class_name: 'Detection Finding',
  type_uid: 200_401,
  type_name: 'Detection Finding: Create',
  severity_id: 3,
  severity: 'Medium',
  status_id: 1,
  status: 'New',
  time: from.getTime(),
  start_time: from.getTime(),
  end_time: to.getTime(),
  message: title,
  metadata: { version: '1.3.0', profiles: ['cloud'], product: { name: 'prestage', vendor_name: 'prestage' } },
  cloud: {
    provider: 'AWS',
    ...(account !== undefined && { account: { uid: account } }),
    ...(region !== undefined && { region }),
  },
  finding_info: {
    uid: id,
    title,
    desc: text,
    types: ['Drift'],
    created_time: from.getTime(),
    modified_time: at.getTime(),
    first_seen_time: from.getTime(),
    last_seen_time: to.getTime(),
    data_sources: [source],
    analytic: { type_id: 4, type: 'Learning (ML/DL)', name: 'IP Insights', uid: `ip-insights/${source}/drift` },
  },
})
