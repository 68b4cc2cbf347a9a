import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { keyParser } from '../../../scripts/lib/sources/layout.ts'
import { sources } from '../../../scripts/lib/sources/registry.ts'
import { sourceParser } from '../../../scripts/lib/sources/source.ts'

const ORG = 'AWSLogs/o-abc123/012345678901'
/** What each source makes of a key that is one of its own. */
const claims = (key: string) => Object.values(sources).flatMap((source) => sourceParser(source, keyParser)(key) ?? [])

describe('keys as AWS documents them', () => {
  const mine: [key: string, account: string | undefined, time: string][] = [
    [
      'prefix_name/AWSLogs/111122223333/CloudTrail/us-east-2/2015/08/01/111122223333_CloudTrail_us-east-2_20150801T0210Z_Mu0KsOhtH1ar15ZZ.json.gz',
      '111122223333',
      '2015-08-01T02:10:00.000Z',
    ],
    [
      `${ORG}/CloudTrail/us-east-1/2026/03/02/012345678901_CloudTrail_us-east-1_20260302T0005Z_a.json.gz`,
      '012345678901',
      '2026-03-02T00:05:00.000Z',
    ],
    [
      `o-abc123/${ORG}/CloudTrail/us-east-1/2026/03/02/012345678901_CloudTrail_us-east-1_20260302T0005Z_a.json.gz`,
      '012345678901',
      '2026-03-02T00:05:00.000Z',
    ],
    [
      'AWSLogs/123456789012/CloudTrail/us-west-1/2014/06/20/123456789012_CloudTrail_us-west-1_20140620T1255ZHdkvFTXOA3Vnhbc.json.gz',
      '123456789012',
      '2014-06-20T12:55:00.000Z',
    ],
    [
      'AWSLogs/11111111111/WAFLogs/us-east-1/TEST-WEBACL/2021/10/28/19/50/11111111111_waflogs_us-east-1_TEST-WEBACL_20211028T1950Z_e0ca43b5.log.gz',
      '11111111111',
      '2021-10-28T19:50:00.000Z',
    ],
    [
      'AWSLogs/111122223333/WAFLogs/cloudfront/driver-wafacl-prd/2025/05/07/03/50/111122223333_waflogs_cloudfront_driver-wafacl-prd_20250507T0350Z_0a7915da.log.gz',
      '111122223333',
      '2025-05-07T03:50:00.000Z',
    ],
    [
      'AWSLogs/123456789012/elasticloadbalancing/us-east-2/2016/05/01/123456789012_elasticloadbalancing_us-east-2_app.my-loadbalancer.1234567890abcdef_20160501T2340Z_172.160.001.192_20sg8hgm.log.gz',
      '123456789012',
      '2016-05-01T23:40:00.000Z',
    ],
    ['p/EMLARXS9EXAMPLE.2019-11-14-20.RT4KCN4SGK9.gz', undefined, '2019-11-14T20:00:00.000Z'],
    // Version 2: with a prefix of one's own, and without one.
    ...[
      ['MyLogPrefix/', undefined],
      ['MyLogPrefix/myFolderA/2019/11/14/', undefined],
      ['MyLogPrefix/EMLARXS9EXAMPLE/2019/11/14/20/', undefined],
      ['AWSLogs/111122223333/CloudFront/', '111122223333'],
      ['AWSLogs/111122223333/CloudFront/EMLARXS9EXAMPLE/2019/11/14/20/', '111122223333'],
      ['AWSLogs/aws-account-id=111122223333/CloudFront/myFolderA/', '111122223333'],
      [
        'AWSLogs/aws-account-id=111122223333/CloudFront/accountid=111122223333/year=2019/month=11/day=14/',
        '111122223333',
      ],
      ['raw/distributionid=EMLARXS9EXAMPLE/year=2019/month=11/day=14/hour=20/', undefined],
      // A file of the day before that was delivered late may lie here.
      ['raw/distributionid=EMLARXS9EXAMPLE/year=2019/month=11/day=15/hour=19/', undefined],
    ].flatMap(([folder, account]): [string, string | undefined, string][] =>
      ['gz', 'parquet'].map((form) => [
        `${folder}EMLARXS9EXAMPLE.2019-11-14-20.abcdef01.${form}`,
        account,
        '2019-11-14T20:00:00.000Z',
      ]),
    ),
    ['logs/2013-11-01-21-32-16-E568B2907131C0C0', undefined, '2013-11-01T21:32:16.000Z'],
    ['logs2013-11-01-21-32-16-E568B2907131C0C0', undefined, '2013-11-01T21:32:16.000Z'],
    [
      'logs/123456789012/us-west-2/amzn-s3-demo-source-bucket/2023/03/01/2023-03-01-21-32-16-E568B2907131C0C0',
      '123456789012',
      '2023-03-01T21:32:16.000Z',
    ],
    // The prefix of the destination is put before the account as it is; an account has twelve digits.
    ...['logs', 'a/logs2', 'logs-'].map((prefix): [string, string, string] => [
      `${prefix}123456789012/us-west-2/amzn-s3-demo-source-bucket/2023/03/01/2023-03-01-21-32-16-E568B2907131C0C0`,
      '123456789012',
      '2023-03-01T21:32:16.000Z',
    ]),
    // Delivered after midnight.
    [
      'AWSLogs/123456789012/elasticloadbalancing/us-east-2/2016/05/02/123456789012_elasticloadbalancing_us-east-2_app.my-loadbalancer.1234567890abcdef_20160501T2355Z_172.160.001.192_20sg8hgm.log.gz',
      '123456789012',
      '2016-05-01T23:55:00.000Z',
    ],
    ...['', '16/'].map((hour): [string, string, string] => [
      `AWSLogs/123456789012/vpcflowlogs/us-east-1/2018/06/20/${hour}123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20180620T1620Z_fe123456.log.gz`,
      '123456789012',
      '2018-06-20T16:20:00.000Z',
    ]),
    ...['', 'hour=16/'].map((hour): [string, string, string] => [
      `a/AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=us-east-1/year=2018/month=06/day=20/${hour}123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20180620T1620Z_fe123456.log.gz`,
      '123456789012',
      '2018-06-20T16:20:00.000Z',
    ]),
    [
      '2020/10/02/21/aws-waf-logs-testing-1-2020-10-02-21-25-30-9f2a8e5c-4a2f-4f3e-9a5e-0d6a4b3c2d1e',
      undefined,
      '2020-10-02T21:25:30.000Z',
    ],
    [
      'AWSLogs/012345678910/vpcdnsquerylogs/vpc-0123456789abcdf12/2023/02/15/vpc-0123456789abcdf12_vpcdnsquerylogs_012345678910_20230215T0000Z_213be99c.log.gz',
      '012345678910',
      '2023-02-15T00:00:00.000Z',
    ],
    ...['CLOUD_TRAIL_MGMT', 'VPC_FLOW'].map((kind): [string, string, string] => [
      `aws/${kind}/1.0/region=us-west-1/accountId=111122223333/eventDay=20230525/48c42a18526e1c4409654c5587e35780.gz.parquet`,
      '111122223333',
      '2023-05-25T00:00:00.000Z',
    ]),
    [
      '2024/06/12/08/amazon-apigateway-s-2-2024-06-12-08-45-12-9f2a8e5c-4a2f-4f3e-9a5e-0d6a4b3c2d1e',
      undefined,
      '2024-06-12T08:45:12.000Z',
    ],
  ]
  for (const [key, account, time] of mine)
    it(key, () => {
      const parsed = claims(key)
      assert.equal(parsed.length, 1)
      assert.equal(parsed[0]?.variables.account, account)
      assert.equal(parsed[0]?.time.toISOString(), time)
    })

  const others = [
    `${ORG}/CloudTrail-Digest/us-east-1/2026/03/02/012345678901_CloudTrail-Digest_us-east-1_t_us-east-1_20260302T000531Z.json.gz`,
    `${ORG}/CloudTrail-Insight/us-east-1/2026/03/02/012345678901_CloudTrail-Insight_us-east-1_20260302T0005Z_a.json.gz`,
    `${ORG}/CloudTrail-NetworkActivity/us-east-1/2026/03/02/012345678901_CloudTrail-NetworkActivity_us-east-1_20260302T0005Z_a.json.gz`,
    `${ORG}/CloudTrail-Aggregated/us-east-1/2026/03/02/012345678901_CloudTrail-Aggregated_us-east-1_20260302T0005Z_a.json.gz`,
    'AWSLogs/123456789012/CloudTrail-Lake/Query/2026/03/02/0123-abcd/result_1.csv.gz',
    'AWSLogs/123456789012/Config/us-east-1/2026/3/2/ConfigHistory/123456789012_Config_us-east-1_ConfigHistory_AWS::EC2::Instance_20260302T004303Z_20260302T025123Z_1.json.gz',
    // The hour of a folder must be that of the name.
    'AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/03/02/17/123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20260302T1620Z_fe123456.log.gz',
    'AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=us-east-1/year=2026/month=03/day=02/hour=17/123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20260302T1620Z_fe123456.log.gz',
    '2024/06/12/08/amazon-api-s-2-2024-06-12-08-45-12-9f2a8e5c-4a2f-4f3e-9a5e-0d6a4b3c2d1e',
    'AWSLogs/012345678910/vpcdnsquerylogs/us-east-1/2023/02/15/vpc-0123456789abcdf12_vpcdnsquerylogs_012345678910_20230215T0000Z_213be99c.log.gz',
    'AWSLogs/123456789012/elasticloadbalancing/us-east-2/2026/03/02/conn_log.123456789012_elasticloadbalancing_us-east-2_app.lb.1234567890abcdef_20260302T2340Z_172.160.001.192_20sg8hgm.log.gz',
    'AWSLogs/123456789012/elasticloadbalancing/us-east-2/2026/03/02/health_check_log_123456789012_elasticloadbalancing_us-east-2_app.lb.1234567890abcdef_20260302T2340Z_172.160.001.192_20sg8hgm.log.gz',
    'AWSLogs/123456789012/elasticloadbalancing/us-east-2/2026/03/02/123456789012_elasticloadbalancing_us-east-2_net.lb.1234567890abcdef_20260302T2340Z_bbb0861d.log.gz',
    'aws/CLOUD_TRAIL_MGMT/2.0/region=us-west-1/accountId=111122223333/eventDay=20230525/48c42a18526e1c4409654c5587e35780.gz.parquet',
    'aws/SH_FINDINGS/1.0/region=us-west-1/accountId=111122223333/eventDay=20230525/48c42a18526e1c4409654c5587e35780.gz.parquet',
    'ext/CLOUD_TRAIL_MGMT/1.0/region=us-west-1/accountId=111122223333/eventDay=20230525/48c42a18526e1c4409654c5587e35780.gz.parquet',
    // Account, region and time must say the same in folders and name; times must exist.
    `${ORG}/CloudTrail/us-east-1/2026/03/02/999999999999_CloudTrail_us-east-1_20260302T0005Z_a.json.gz`,
    `${ORG}/CloudTrail/us-east-1/2026/03/02/012345678901_CloudTrail_eu-west-1_20260302T0005Z_a.json.gz`,
    `${ORG}/CloudTrail/us-east-1/2026/03/02/012345678901_CloudTrail_us-east-1_20260303T0005Z_a.json.gz`,
    `${ORG}/CloudTrail/us-east-1/2026/02/31/012345678901_CloudTrail_us-east-1_20260231T0005Z_a.json.gz`,
    `${ORG}/CloudTrail/us-east-1/2026/13/01/012345678901_CloudTrail_us-east-1_20261301T0005Z_a.json.gz`,
    `${ORG}/CloudTrail/us-east-1/2026/03/02/012345678901_CloudTrail_us-east-1_20260302T0075Z_a.json.gz`,
    `${ORG}/CloudTrail/us-east-1/2026/03/02/012345678901_CloudTrail_us-east-1_20260302T2400Z_a.json.gz`,
    `${ORG}/CloudTrail/us-east-1/0026/03/02/012345678901_CloudTrail_us-east-1_00260302T0005Z_a.json.gz`,
    `${ORG}/CloudTrail/us-east-1/2026/03/02/012345678901_CloudTrail_us-east-1_20260302T0005Z_a/../../x.json.gz`,
    `${ORG}/CloudTrail/us-east-1/2026/03/02/012345678901_CloudTrail_us-east-1_20260302T0005Z_a.json.gz.tmp`,
    `x${ORG}/CloudTrail/us-east-1/2026/03/02/012345678901_CloudTrail_us-east-1_20260302T0005Z_a.json.gz`,
  ]
  for (const key of others) it(`belongs to no source: ${key}`, () => assert.deepEqual(claims(key), []))
})
