import { type Source, withAddresses } from './source.ts'

const addresses = { srcaddr: { about: 'the address that asked, once a query', members: ['srcaddr'] } }

/** Route 53 Resolver: which instance asked for which name, and what it was told. Pairs have the addresses of the answers, or who asked. */
export const route53resolver: Source = {
  id: 'route53resolver',
  name: 'Route 53 Resolver',
  about: 'query logs of Route 53 Resolver',
  layouts: [
    {
      id: 'route53resolver',
      about: 'query logs of a VPC; the id of the VPC takes the place of a region',
      // Folders: "Choosing the type of AWS resource to publish query logs to", Route 53 developer guide; names as they are found.
      path: 'AWSLogs/{org?}/{account}/vpcdnsquerylogs/{vpc}/',
      timed: '{yyyy}/{MM}/{dd}/{vpc}_vpcdnsquerylogs_{account}_{yyyy}{MM}{dd}T{HH}{mm}Z',
      tail: '_[^/]+\\.log(?:\\.gz|\\.zst)?',
      // A vended log: files are presumed to hold the five minutes from the time in their names on. The guard covers those before, too.
      padding: { unit: 5, before: 5, after: 5, lateHours: 1 },
    },
  ],
  members: {
    query_timestamp: 'VARCHAR',
    vpc_id: 'VARCHAR',
    query_name: 'VARCHAR',
    srcaddr: 'VARCHAR',
    srcport: 'VARCHAR',
    answers: 'STRUCT(Rdata VARCHAR, "Type" VARCHAR)[]',
    srcids: 'STRUCT(instance VARCHAR)',
  },
  pairMembers: ['query_timestamp', 'answers'],
  // A query has no id: what is asked, by whom and when tells it from others.
  idMember: ['srcaddr', 'srcport', 'query_name'],
  details: {
    account_id: 'VARCHAR',
    region: 'VARCHAR',
    query_type: 'VARCHAR',
    rcode: 'VARCHAR',
  },
  entities: withAddresses(
    {
      instance: { about: 'id of the EC2 instance that asked', column: 'instance', members: ['srcids.instance'] },
      vpc: { about: 'id of the VPC', column: 'vpc', members: ['vpc_id'] },
      'query-name': { about: 'name that was asked for', column: 'query_name', members: ['query_name'] },
    },
    addresses,
  ),
  addresses,
  defaultEntity: 'instance',
  aspects: {
    request: "query_type || ' ' || query_name",
    vpc: 'vpc',
    account: 'account',
    region: 'region',
    client: 'client',
  },
  access: 'request',
  // One for each address of an answer.
  severalRows: true,
}
