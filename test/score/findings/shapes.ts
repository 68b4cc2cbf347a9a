import * as z from 'zod'

// Two shapes that others prescribe, cut to what prestage writes; whatever is not named here is refused.

const NO_CONTROL = /^[^\p{Cc}\p{Zl}\p{Zp}\p{Cs}]*$/u

/** Non-empty as Security Hub's model has it (`.*\S.*`), and at most so many bytes, the strictest reading of "length". */
const words = (most = 65_536) =>
  z
    .string()
    .regex(/^.*\S.*$/)
    .regex(NO_CONTROL)
    .refine((value) => Buffer.byteLength(value) <= most, { error: `more than ${most} bytes` })

const address = z.ipv4()
const time = z.iso.datetime({ precision: 3 })
const remote = z.strictObject({ IpAddressV4: address })
const severity = z.strictObject({
  Label: z.enum(['INFORMATIONAL', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL']),
  Original: words(64),
})
// "Types taxonomy for ASFF", Security Hub user guide; namespaces and lengths: AwsSecurityFinding, Security Hub API reference.
const types = z
  .array(z.string().regex(/^(Unusual Behaviors|TTPs|Effects|Software and Configuration Checks)(\/[^/]+){0,2}$/))
  .min(1)
  .max(50)

/** AwsSecurityFinding of the Security Hub API (2018-10-26). */
export const asffFinding = z.strictObject({
  SchemaVersion: z.literal('2018-10-08'),
  Id: words(512),
  ProductArn: z.string().regex(/^arn:aws[a-z-]*:securityhub:[a-z0-9-]+:(\d{12}):product\/\1\/default$/),
  GeneratorId: words(512),
  AwsAccountId: z.string().regex(/^\d{12}$/),
  Types: types,
  FirstObservedAt: time,
  LastObservedAt: time,
  CreatedAt: time,
  UpdatedAt: time,
  Severity: severity,
  Title: words(256),
  Description: words(1024),
  ProductFields: z
    .record(words(128), words(2048))
    .refine((fields) => Object.keys(fields).length <= 50, { error: 'more than 50 fields' }),
  Network: z.strictObject({ Direction: z.enum(['IN', 'OUT']), SourceIpV4: address }),
  Action: z.union([
    z.strictObject({
      ActionType: z.literal('AWS_API_CALL'),
      AwsApiCallAction: z.strictObject({
        CallerType: z.enum(['remoteIp', 'domain']),
        RemoteIpDetails: remote,
        FirstSeen: time,
        LastSeen: time,
      }),
    }),
    z.strictObject({
      ActionType: z.literal('NETWORK_CONNECTION'),
      NetworkConnectionAction: z.strictObject({
        ConnectionDirection: z.enum(['INBOUND', 'OUTBOUND']),
        Protocol: words(64),
        RemoteIpDetails: remote,
      }),
    }),
  ]),
  Resources: z
    .array(
      z.strictObject({
        Type: words(256),
        Id: words(512),
        Region: words(16),
        Details: z.union([
          z.strictObject({ Other: z.record(words(), words()) }),
          z.strictObject({ AwsIamUser: z.strictObject({ UserId: words() }) }),
          z.strictObject({ AwsIamRole: z.strictObject({ RoleId: words() }) }),
          z.strictObject({ AwsIamAccessKey: z.strictObject({ AccessKeyId: words() }) }),
        ]),
      }),
    )
    .min(1)
    .max(32),
  RecordState: z.enum(['ACTIVE', 'ARCHIVED']),
  FindingProviderFields: z.strictObject({ Severity: severity, Types: types }),
  Note: z.strictObject({ Text: words(512), UpdatedBy: words(), UpdatedAt: time }).optional(),
})

/** "Guidelines for using the BatchImportFindings API", Security Hub partner guide. */
export const asffBatch = z.array(asffFinding).min(1).max(100)
export const [FINDING_BYTES, BATCH_BYTES] = [240_000, 6_000_000]

const text = z.string().max(65_535).regex(NO_CONTROL)
const ms = z.number().int().nonnegative()

/** Class detection_finding of the published OCSF schema 1.3.0 with its profile cloud; required, types, numbers and "at least one" as there. */
export const ocsfFinding = z.strictObject({
  activity_id: z.literal([1, 2, 3]),
  activity_name: text,
  category_uid: z.literal(2),
  category_name: text,
  class_uid: z.literal(2004),
  class_name: text,
  type_uid: z.literal([200401, 200402, 200403]),
  type_name: text,
  severity_id: z.literal([1, 2, 3, 4, 5, 6]),
  severity: text,
  status_id: z.literal([1, 2, 3, 4]),
  status: text,
  time: ms,
  start_time: ms,
  end_time: ms,
  count: z.number().int(),
  message: text,
  comment: text.optional(),
  metadata: z.strictObject({
    version: z.literal('1.3.0'),
    profiles: z.array(z.literal('cloud')),
    product: z.strictObject({ name: text, vendor_name: text }),
  }),
  cloud: z.strictObject({
    provider: text,
    account: z.strictObject({ uid: text }).optional(),
    region: text.optional(),
  }),
  finding_info: z.strictObject({
    uid: text,
    title: text,
    desc: text,
    types: z.array(text),
    created_time: ms,
    modified_time: ms,
    first_seen_time: ms,
    last_seen_time: ms,
    data_sources: z.array(text),
    analytic: z.strictObject({ type_id: z.literal(4), type: text, name: text, uid: text }),
  }),
  resources: z.array(z.strictObject({ type: text, uid: text, name: text })),
  evidences: z.array(
    z.strictObject({
      src_endpoint: z.strictObject({ ip: address }),
      actor: z
        .strictObject({ user: z.union([z.strictObject({ uid: text }), z.strictObject({ name: text })]) })
        .optional(),
      data: z.record(text, text),
    }),
  ),
  observables: z.array(
    z.strictObject({
      name: text,
      type_id: z.literal([1, 2, 4, 10, 14, 16, 19, 99]),
      type: text,
      value: text,
    }),
  ),
  unmapped: z.record(text, z.json()),
})
