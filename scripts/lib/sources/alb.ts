import type { Source } from './source.ts'
import { QUOTED } from './text.ts'

/**
 * Application Load Balancer: which client asked for what. Layout, fields and the meaning of their times: "Access logs for your Application
 * Load Balancer", Elastic Load Balancing user guide. Connection and health-check logs, in the same folders, have other names.
 */
export const alb: Source = {
  id: 'alb',
  name: 'ALB',
  about: 'access logs of Application Load Balancers',
  layouts: [
    {
      id: 'alb',
      about: 'access logs of a load balancer',
      path: 'AWSLogs/{org?}/{account}/elasticloadbalancing/{region}/',
      // The folder has the date of delivery, which may be the day after the time of the name.
      timed:
        '{Dyyyy}/{DMM}/{Ddd}/{account}_elasticloadbalancing_{region}_app.{balancer}_{yyyy}{MM}{dd}T{HH}{mm}Z_{node}',
      tail: '_[^_/]+\\.log(?:\\.gz|\\.zst)?',
      // The time is the end of the five minutes: what was asked before midnight lies in the file of the next day.
      padding: { unit: 5, before: 0, after: 5, tail: 1, lateHours: 1 },
    },
  ],
  text: {
    // The last fields came over the years: lines of 2016 end with the target group or the trace id.
    pattern: [
      '[^ ]+ (?<time>[^ ]+) (?<elb>[^ ]+) (?<client>[^ ]+) [^ ]+ [^ ]+ [^ ]+ [^ ]+ (?<status>[^ ]+) [^ ]+ [^ ]+ [^ ]+',
      ` "(?<request>${QUOTED})" "(?<userAgent>${QUOTED})"`,
      `(?: [^ ]+ [^ ]+ (?<targetGroup>[^ ]+)(?: "(?<traceId>${QUOTED})"`,
      `(?: "(?<serverName>${QUOTED})" "(?<certificate>${QUOTED})"(?: [^ ]+ [^ ]+ "(?<actions>${QUOTED})")?)?)?)?(?: [^\\n]*)?`,
    ].join(''),
  },
  members: {
    time: 'VARCHAR',
    client: 'VARCHAR',
    request: 'VARCHAR',
    userAgent: 'VARCHAR',
    targetGroup: 'VARCHAR',
    traceId: 'VARCHAR',
  },
  pairMembers: ['time', 'client'],
  idMember: 'traceId',
  details: {
    elb: 'VARCHAR',
    status: 'VARCHAR',
    serverName: 'VARCHAR',
    certificate: 'VARCHAR',
    actions: 'VARCHAR',
  },
  entities: {
    'user-agent': { about: 'User-Agent header', column: 'user_agent', members: ['userAgent'] },
    host: { about: 'host of the requested URL', column: 'host', members: ['request'] },
    'target-group': { about: 'ARN of the target group', column: 'target_group', members: ['targetGroup'] },
  },
  defaultEntity: 'user-agent',
  aspects: {
    request: "method || ' ' || uri",
    host: 'host',
    status: 'status',
    target: 'target_group',
    action: 'action',
    agent: 'user_agent',
  },
  access: 'request',
}
