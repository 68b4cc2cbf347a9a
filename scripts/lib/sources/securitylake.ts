import type { Layout } from './layout.ts'
import type { Source } from './source.ts'

/** The folder's day is that of the events, so none of it lies elsewhere. That they are there after two hours is believed, not documented. */
const padding: Layout['padding'] = { unit: 1440, before: 0, after: 0, settles: 120, lateHours: 24 }
const folders = 'region={region}/accountId={account}/'
const timed = 'eventDay={yyyy}{MM}{dd}/'
const tail = '[\\w.-]+\\.parquet'

const WHERE = {
  ip: 'VARCHAR',
  domain: 'VARCHAR',
  port: 'INTEGER',
  interface_uid: 'VARCHAR',
  instance_uid: 'VARCHAR',
  vpc_uid: 'VARCHAR',
}
const struct = (members: Readonly<Record<string, string>>): string =>
  `STRUCT(${Object.entries(members)
    .map(([name, type]) => `"${name}" ${type}`)
    .join(', ')})`
const ACCOUNT = struct({ uid: 'VARCHAR' })
const USER = { type: 'VARCHAR', name: 'VARCHAR', uid: 'VARCHAR', uid_alt: 'VARCHAR', uuid: 'VARCHAR' }

/**
 * Amazon Security Lake: sources of version 1, OCSF 1.0.0-rc.2 in Parquet, and of version 2, OCSF 1.1.0 in tables of Iceberg. Members: "AWS v1.0.0-rc.2" and
 * "AWS v1.1.0" of the mappings in github.com/ocsf/examples; version 2 has the principal's id as `uid_alt`, and what was allowed as `action_id`.
 * Keys: "Security Lake regions and partitions", and the prefixes of its example policies, Security Lake user guide.
 */
export const securitylake: Source = {
  id: 'securitylake',
  name: 'Security Lake',
  about: 'CloudTrail management events and VPC flow in Amazon Security Lake',
  layouts: [
    {
      id: 'securitylake-cloudtrail',
      about: 'CloudTrail management events in Security Lake, version 1',
      path: `aws/CLOUD_TRAIL_MGMT/1.0/${folders}`,
      timed,
      tail,
      padding,
    },
    {
      id: 'securitylake-vpcflow',
      about: 'VPC flow in Security Lake, version 1',
      path: `aws/VPC_FLOW/1.0/${folders}`,
      timed,
      tail,
      // Whether a flow lies in the day of its start or of its end, ten minutes later at most, is not documented.
      padding: { ...padding, after: 10 },
    },
  ],
  tables: [
    { id: 'securitylake-cloudtrail-2', folder: 'aws/CLOUD_TRAIL_MGMT/2.0/', insteadOf: 'securitylake-cloudtrail' },
    { id: 'securitylake-vpcflow-2', folder: 'aws/VPC_FLOW/2.0/', insteadOf: 'securitylake-vpcflow' },
  ],
  isParquet: true,
  inPlace: true,
  members: {
    time: 'BIGINT',
    class_uid: 'INTEGER',
    status_code: 'VARCHAR',
    disposition_id: 'INTEGER',
    action_id: 'INTEGER',
    metadata: struct({ uid: 'VARCHAR' }),
    actor: struct({ user: struct({ ...USER, account_uid: 'VARCHAR', account: ACCOUNT, credential_uid: 'VARCHAR' }) }),
    src_endpoint: struct(WHERE),
    dst_endpoint: struct(WHERE),
    connection_info: struct({ direction_id: 'INTEGER', protocol_num: 'INTEGER' }),
  },
  pairMembers: [
    'time',
    'class_uid',
    'status_code',
    'disposition_id',
    'action_id',
    'actor.user',
    'src_endpoint',
    'connection_info.direction_id',
  ],
  idMember: ['metadata.uid', 'dst_endpoint', 'connection_info.protocol_num'],
  details: {
    api: struct({
      operation: 'VARCHAR',
      service: struct({ name: 'VARCHAR' }),
      response: struct({ error: 'VARCHAR', message: 'VARCHAR' }),
    }),
    http_request: struct({ user_agent: 'VARCHAR' }),
    cloud: struct({ region: 'VARCHAR', account_uid: 'VARCHAR', account: ACCOUNT }),
  },
  entities: {
    actor: {
      about: 'uid of the user that called, without the name of a role’s session',
      column: 'actor',
      members: ['actor.user'],
    },
    session: { about: 'uid of the user that called, as logged', column: 'session', members: ['actor.user'] },
    account: { about: 'account of the user that called', column: 'account', members: ['actor.user'] },
    interface: { about: 'network interface that was reached', column: 'interface', members: ['dst_endpoint'] },
  },
  defaultEntity: 'actor',
  aspects: {
    name: 'user_name',
    arn: 'arn',
    account: 'coalesce(account, owner)',
    region: 'region',
    call: "coalesce(event_source || ':' || event_name, local_port || '/' || protocol)",
    error: 'error',
    credential: 'access_key',
    agent: 'user_agent',
    interface: 'interface',
    instance: 'instance',
    local: 'local_address',
    vpc: 'vpc',
  },
  access: 'call',
}
