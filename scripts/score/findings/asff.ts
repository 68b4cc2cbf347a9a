import { partitionOf } from '../../lib/aws/arn.ts'
import { shortened, spelledOut } from '../../lib/cli/format.ts'
import type { Details } from '../../lib/runs/alerts.ts'
import { isCountryCode, type Provider, providerText } from '../../lib/runs/providers/provider.ts'
import { accessOf } from '../../lib/sources/registry.ts'
import { aspectTexts, mostCalled } from '../alerts/text.ts'
import { seenBefore } from '../anomalies.ts'
import { type About, addressesOf, descriptionOf, type Finding, reasonOf, severityOf, titleOf } from './finding.ts'
import { whoIs } from './resource.ts'

/** Most findings in one BatchImportFindings: Security Hub API reference. */
export const MOST_IN_BATCH = 100

/** Whose Security Hub the findings are for. */
interface Hub {
  readonly account: string
  readonly region: string
}

/**
 * A finding in the AWS Security Finding Format, the input of `aws securityhub batch-import-findings`. Lengths and terms: AwsSecurityFinding
 * in the Security Hub API reference, and its "Types taxonomy for ASFF". There is no Note: Security Hub takes one only with a new finding,
 * where it would stay when the finding opens again ("BatchImportFindings for finding providers", Security Hub user guide).
 */
export function asffOf(finding: Finding, about: About, { account, region }: Hub): Record<string, unknown> {
  const { state, first, last } = finding
  const severity = {
    Label: severityOf(finding).toUpperCase(),
    Original: (finding.dotProduct ?? finding.anomalyScore).toFixed(6),
  }
  const types = [accessOf(about.source) === 'call' ? 'Unusual Behaviors/User' : 'Unusual Behaviors/IP address']
  const who = whoIs(finding, about)
  return {
    SchemaVersion: '2018-10-08',
    Id: finding.id,
    ProductArn: `arn:${partitionOf(region)}:securityhub:${region}:${account}:product/${account}/default`,
    GeneratorId: `prestage/ip-insights/${about.source}/${about.kind}`,
    AwsAccountId: account,
    Types: types,
    FirstObservedAt: time(first),
    LastObservedAt: time(last),
    CreatedAt: time(first),
    // Security Hub ignores an update that is older than what it has, whatever became of the finding meanwhile.
    UpdatedAt: about.scoredAt.toISOString(),
    Severity: severity,
    Title: titleOf(finding, about),
    Description: descriptionOf(finding, about),
    ProductFields: productFields(finding, about),
    Network: { Direction: 'IN', [isOfIpv6(finding) ? 'SourceIpV6' : 'SourceIpV4']: finding.addresses[0] },
    Action: actionOf(finding, about),
    Resources: [{ Type: who.type, Id: who.id, Region: region, Details: who.details }],
    RecordState: state === 'open' ? 'ACTIVE' : 'ARCHIVED',
    FindingProviderFields: { Severity: severity, Types: types },
  }
}

/** Of CloudTrail a call of an API, of the others a request over the network. */
function actionOf(finding: Finding, { source }: About): Record<string, unknown> {
  const { first, last, details } = finding
  const RemoteIpDetails = remoteOf(finding)
  if (accessOf(source) === 'request')
    return {
      ActionType: 'NETWORK_CONNECTION',
      NetworkConnectionAction: { ConnectionDirection: 'IN', Protocol: 'TCP', RemoteIpDetails },
    }
  return {
    ActionType: 'AWS_API_CALL',
    AwsApiCallAction: {
      ...apiOf(details),
      CallerType: 'remoteIp',
      RemoteIpDetails,
      FirstSeen: time(first),
      LastSeen: time(last),
    },
  }
}

/** Security Hub's integers have 32 bits, numbers of autonomous systems too, but without a sign. */
const MOST_INTEGER = 2 ** 31 - 1

const isOfIpv6 = ({ network }: Finding): boolean => network.includes(':')

/** Types ActionRemoteIpDetails, which has no member for IPv6, IpOrganizationDetails and Country of the Security Hub API. */
function remoteOf(finding: Finding): Record<string, unknown> {
  const [ip = ''] = finding.addresses
  const { number, name, country }: Provider = finding.providers.get(ip) ?? {}
  const organization = {
    ...(number !== undefined && number <= MOST_INTEGER && { Asn: number }),
    ...(name && { AsnOrg: spelledOut(name) }),
  }
  return {
    ...(!isOfIpv6(finding) && { IpAddressV4: ip }),
    ...(Object.keys(organization).length > 0 && { Organization: organization }),
    ...(isCountryCode(country) && { Country: { CountryCode: country } }),
  }
}

/** The call that was made most. */
function apiOf(details: Details | undefined): Record<string, string> {
  const call = mostCalled(details)
  return call === undefined ? {} : { Api: shortened(call.operation, 128), ServiceName: shortened(call.service, 128) }
}

function productFields(finding: Finding, about: About): Record<string, string> {
  const { state, entity, network, addresses, providers, dotProduct, anomalyScore } = finding
  const { accesses, events, labels, details } = finding
  const fields = {
    run: about.run,
    source: about.source,
    'entity-kind': about.kind,
    entity: shortened(spelledOut(entity), 2048),
    network,
    addresses: addressesOf(addresses),
    ...(providers.size > 0 && {
      networks: shortened([...new Set([...providers.values()].map(providerText))].join('; '), 2048),
    }),
    ...(dotProduct !== undefined && { 'dot-product': String(dotProduct) }),
    'anomaly-score': String(anomalyScore),
    threshold: String(about.threshold),
    accesses: String(accesses),
    'training-accesses': String(events),
    'seen-before': seenBefore(finding) || 'unknown',
    ...Object.fromEntries(aspectTexts(details).map(([aspect, texts]) => [aspect, shortened(texts.join(', '), 2048)])),
    ...(state === 'allowed' && { allowed: reasonOf(finding) }),
    ...(labels.length > 0 && { label: shortened(spelledOut(labels.join(', ')), 2048) }),
  }
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [`prestage/${name}`, value]))
}

const time = (ms: number): string => new Date(ms).toISOString()
