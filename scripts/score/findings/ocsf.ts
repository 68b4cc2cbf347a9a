import { shortened, spelledOut } from '../../lib/cli/format.ts'
import { isCountryCode, type PairProvider } from '../../lib/runs/providers/provider.ts'
import { aspectTexts, mostCalled } from '../alerts/text.ts'
import { type About, descriptionOf, type Finding, reasonOf, severityOf, titleOf } from './finding.ts'
import { whoIs } from './resource.ts'

/** Version of the schema. */
const VERSION = '1.3.0'

/** Detection Finding in the category Findings. */
const [CLASS, CATEGORY] = [2004, 2]

const SEVERITY = { informational: [1, 'Informational'], low: [2, 'Low'], medium: [3, 'Medium'] } as const

/** Addresses listed as observables; more would only make the event longer. */
const OBSERVED = 100
const TEXT_BYTES = 2048

/** Objects network_endpoint, autonomous_system and location. */
const endpointOf = (ip: string, { number, name, country }: PairProvider = {}) => ({
  ip,
  ...((number !== undefined || name !== undefined) && {
    autonomous_system: {
      ...(number !== undefined && { number }),
      ...(name !== undefined && { name: spelledOut(name) }),
    },
  }),
  ...(isCountryCode(country) && { location: { country } }),
})

/** A finding as an OCSF Detection Finding: https://schema.ocsf.io/1.3.0/classes/detection_finding */
export function ocsfOf(finding: Finding, about: About): Record<string, unknown> {
  const { id, state, addresses, first, last, entity } = finding
  const [severityId, severity] = SEVERITY[severityOf(finding)]
  const [activityId, activity] = state === 'open' ? [1, 'Create'] : [3, 'Close']
  const who = whoIs(finding, about)
  const name = shortened(spelledOut(entity), TEXT_BYTES)
  const call = mostCalled(finding.details)
  const observed = addresses.slice(0, OBSERVED)
  return {
    activity_id: activityId,
    activity_name: activity,
    category_uid: CATEGORY,
    category_name: 'Findings',
    class_uid: CLASS,
    class_name: 'Detection Finding',
    type_uid: CLASS * 100 + activityId,
    type_name: `Detection Finding: ${activity}`,
    severity_id: severityId,
    severity,
    status_id: state === 'open' ? 1 : 3,
    status: state === 'open' ? 'New' : 'Suppressed',
    time: first,
    start_time: first,
    end_time: last,
    count: finding.accesses,
    message: titleOf(finding, about),
    ...(state === 'allowed' && { comment: reasonOf(finding) }),
    metadata: { version: VERSION, profiles: ['cloud'], product: { name: 'prestage', vendor_name: 'prestage' } },
    cloud: {
      provider: 'AWS',
      ...(about.account !== undefined && { account: { uid: about.account } }),
      ...(about.region !== undefined && { region: about.region }),
    },
    finding_info: {
      uid: id,
      title: titleOf(finding, about),
      desc: descriptionOf(finding, about),
      types: ['Unusual address'],
      created_time: first,
      modified_time: about.scoredAt.getTime(),
      first_seen_time: first,
      last_seen_time: last,
      data_sources: [about.source],
      analytic: {
        type_id: 4,
        type: 'Learning (ML/DL)',
        name: 'IP Insights',
        uid: `ip-insights/${about.source}/${about.kind}`,
      },
    },
    resources: [{ type: who.type, uid: who.id, name }],
    evidences: observed.map((ip) => ({
      src_endpoint: endpointOf(ip, finding.providers.get(ip)),
      ...(who.user && { actor: { user: who.user } }),
      ...(call && { api: { operation: call.operation, service: { name: call.service } } }),
      data: { [about.kind]: name },
    })),
    observables: [
      ...observed.map((ip, i) => ({
        name: `evidences[${i}].src_endpoint.ip`,
        type_id: 2,
        type: 'IP Address',
        value: ip,
      })),
      { name: 'resources[0].name', type_id: who.observable.id, type: who.observable.name, value: name },
    ],
    unmapped: {
      run: about.run,
      network: finding.network,
      ...(finding.dotProduct !== undefined && { dot_product: finding.dotProduct }),
      anomaly_score: finding.anomalyScore,
      threshold: about.threshold,
      training_accesses: finding.events,
      ...(finding.details && { details: Object.fromEntries(aspectTexts(finding.details)) }),
      ...(finding.seen !== undefined && { seen: finding.seen }),
      ...(finding.labels.length > 0 && { labels: finding.labels.map(spelledOut) }),
    },
  }
}
