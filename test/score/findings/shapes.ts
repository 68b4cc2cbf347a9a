import * as v from 'valibot'
import { json, record, time as utcTime } from '../../../scripts/lib/cli/shapes.ts'

// Two shapes that others prescribe, cut to what prestage writes; whatever is not named here is refused.

const NO_CONTROL = /^[^\p{Cc}\p{Zl}\p{Zp}\p{Cs}]*$/u

/** Non-empty as Security Hub's model has it (`.*\S.*`), and at most so many bytes, the strictest reading of "length". */
const words = (most = 65_536) =>
  v.pipe(
    v.string(),
    v.regex(/^.*\S.*$/),
    v.regex(NO_CONTROL),
    v.check((value) => Buffer.byteLength(value) <= most, `at most ${most} bytes`),
  )

const address = v.pipe(v.string(), v.ipv4('IPv4 address'))
const direction = v.picklist(['IN', 'OUT'])
const time = v.pipe(utcTime, v.regex(/\.\d{3}Z$/, 'time with milliseconds'))
/** ActionRemoteIpDetails, IpOrganizationDetails (its Asn has 32 bits) and Country, Security Hub API reference. */
const remote = v.strictObject({
  // It has no member for IPv6.
  IpAddressV4: v.exactOptional(address),
  Organization: v.exactOptional(
    v.strictObject({
      Asn: v.exactOptional(v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(2 ** 31 - 1))),
      AsnOrg: v.exactOptional(words()),
    }),
  ),
  Country: v.exactOptional(v.strictObject({ CountryCode: v.pipe(v.string(), v.regex(/^[A-Z]{2}$/)) })),
})
const severity = v.strictObject({
  Label: v.picklist(['INFORMATIONAL', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL']),
  Original: words(64),
})
// "Types taxonomy for ASFF", Security Hub user guide; namespaces and lengths: AwsSecurityFinding, Security Hub API reference.
const types = v.pipe(
  v.array(
    v.pipe(v.string(), v.regex(/^(Unusual Behaviors|TTPs|Effects|Software and Configuration Checks)(\/[^/]+){0,2}$/)),
  ),
  v.minLength(1),
  v.maxLength(50),
)

/** AwsSecurityFinding of the Security Hub API (2018-10-26). */
export const asffFinding = v.strictObject({
  SchemaVersion: v.literal('2018-10-08'),
  Id: words(512),
  ProductArn: v.pipe(v.string(), v.regex(/^arn:aws[a-z-]*:securityhub:[a-z0-9-]+:(\d{12}):product\/\1\/default$/)),
  GeneratorId: words(512),
  AwsAccountId: v.pipe(v.string(), v.regex(/^\d{12}$/)),
  Types: types,
  FirstObservedAt: time,
  LastObservedAt: time,
  CreatedAt: time,
  UpdatedAt: time,
  Severity: severity,
  Title: words(256),
  Description: words(1024),
  ProductFields: v.pipe(
    record(words(128), words(2048)),
    v.check((fields) => Object.keys(fields).length <= 50, 'at most 50 fields'),
  ),
  Network: v.union([
    v.strictObject({ Direction: direction, SourceIpV4: address }),
    v.strictObject({ Direction: direction, SourceIpV6: v.pipe(v.string(), v.ipv6('IPv6 address')) }),
  ]),
  Action: v.union([
    v.strictObject({
      ActionType: v.literal('AWS_API_CALL'),
      AwsApiCallAction: v.strictObject({
        CallerType: v.picklist(['remoteIp', 'domain']),
        RemoteIpDetails: remote,
        FirstSeen: time,
        LastSeen: time,
        Api: v.exactOptional(words(128)),
        ServiceName: v.exactOptional(words(128)),
      }),
    }),
    v.strictObject({
      ActionType: v.literal('NETWORK_CONNECTION'),
      NetworkConnectionAction: v.strictObject({
        ConnectionDirection: v.picklist(['IN', 'OUT']),
        Protocol: words(64),
        RemoteIpDetails: remote,
      }),
    }),
  ]),
  Resources: v.pipe(
    v.array(
      v.strictObject({
        Type: words(256),
        Id: words(512),
        Region: words(16),
        Details: v.union([
          v.strictObject({ Other: record(words(), words()) }),
          v.strictObject({ AwsIamUser: v.strictObject({ UserId: words(), UserName: v.exactOptional(words(64)) }) }),
          v.strictObject({ AwsIamRole: v.strictObject({ RoleId: words(), RoleName: v.exactOptional(words(64)) }) }),
          v.strictObject({ AwsIamAccessKey: v.strictObject({ AccessKeyId: words() }) }),
        ]),
      }),
    ),
    v.minLength(1),
    v.maxLength(32),
  ),
  RecordState: v.picklist(['ACTIVE', 'ARCHIVED']),
  FindingProviderFields: v.strictObject({ Severity: severity, Types: types }),
})

/** "Guidelines for using the BatchImportFindings API", Security Hub partner guide. */
export const asffBatch = v.pipe(v.array(asffFinding), v.minLength(1), v.maxLength(100))
export const [FINDING_BYTES, BATCH_BYTES] = [240_000, 6_000_000]

const text = v.pipe(v.string(), v.maxLength(65_535), v.regex(NO_CONTROL))
const whole = v.pipe(v.number(), v.safeInteger())
const ms = v.pipe(whole, v.minValue(0))

const user = v.pipe(
  v.strictObject({
    uid: v.optional(text),
    name: v.optional(text),
    uid_alt: v.optional(text),
    credential_uid: v.optional(text),
    account: v.optional(v.strictObject({ uid: text })),
  }),
  v.check(({ uid, name, account }) => uid !== undefined || name !== undefined || account !== undefined),
)

/** Class detection_finding of the published OCSF schema 1.3.0 with its profile cloud; required, types, numbers and "at least one" as there. */
export const ocsfFinding = v.strictObject({
  activity_id: v.picklist([1, 2, 3]),
  activity_name: text,
  category_uid: v.literal(2),
  category_name: text,
  class_uid: v.literal(2004),
  class_name: text,
  type_uid: v.picklist([200401, 200402, 200403]),
  type_name: text,
  severity_id: v.picklist([1, 2, 3, 4, 5, 6]),
  severity: text,
  status_id: v.picklist([1, 2, 3, 4]),
  status: text,
  time: ms,
  start_time: ms,
  end_time: ms,
  count: whole,
  message: text,
  comment: v.optional(text),
  metadata: v.strictObject({
    version: v.literal('1.3.0'),
    profiles: v.array(v.literal('cloud')),
    product: v.strictObject({ name: text, vendor_name: text }),
  }),
  cloud: v.strictObject({
    provider: text,
    account: v.optional(v.strictObject({ uid: text })),
    region: v.optional(text),
  }),
  finding_info: v.strictObject({
    uid: text,
    title: text,
    desc: text,
    types: v.array(text),
    created_time: ms,
    modified_time: ms,
    first_seen_time: ms,
    last_seen_time: ms,
    data_sources: v.array(text),
    analytic: v.strictObject({ type_id: v.literal(4), type: text, name: text, uid: text }),
  }),
  resources: v.array(v.strictObject({ type: text, uid: text, name: text })),
  evidences: v.array(
    v.strictObject({
      // Objects network_endpoint, autonomous_system and location of the published schema.
      src_endpoint: v.strictObject({
        ip: address,
        autonomous_system: v.optional(v.strictObject({ number: v.optional(whole), name: v.optional(text) })),
        location: v.optional(v.strictObject({ country: v.pipe(v.string(), v.regex(/^[A-Z]{2}$/)) })),
      }),
      actor: v.optional(v.strictObject({ user })),
      // Objects evidences, api and service of the published schema.
      api: v.optional(v.strictObject({ operation: text, service: v.strictObject({ name: text }) })),
      data: record(text, text),
    }),
  ),
  observables: v.array(
    v.strictObject({
      name: text,
      type_id: v.picklist([1, 2, 4, 10, 14, 16, 19, 99]),
      type: text,
      value: text,
    }),
  ),
  unmapped: record(text, json),
})
