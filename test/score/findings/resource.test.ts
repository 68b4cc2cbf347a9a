import assert from 'node:assert/strict'
import { test } from 'node:test'
import { whoIs } from '../../../scripts/score/findings/resource.ts'

const entities: [kind: string, entity: string, type: string, id: string][] = [
  ['principal', 'AIDAEXAMPLE', 'AwsIamUser', 'AIDAEXAMPLE'],
  ['principal', 'AROAEXAMPLE', 'AwsIamRole', 'AROAEXAMPLE'],
  ['principal', 'AIDA<script>', 'Other', 'principal/AIDA<script>'],
  ['principal-session', 'AROAEXAMPLE:john', 'AwsIamRole', 'AROAEXAMPLE:john'],
  ['arn', 'arn:aws:iam::111122223333:user/john', 'AwsIamUser', 'arn:aws:iam::111122223333:user/john'],
  [
    'arn',
    'arn:aws-cn:sts::111122223333:assumed-role/r/s',
    'AwsIamRole',
    'arn:aws-cn:sts::111122223333:assumed-role/r/s',
  ],
  ['arn', 'arn:aws:iam::111122223333:root', 'Other', 'arn:aws:iam::111122223333:root'],
  ['arn', 'john', 'Other', 'arn/john'],
  ['user-name', 'john', 'Other', 'user-name/john'],
  ['access-key', 'AKIAEXAMPLE', 'AwsIamAccessKey', 'AWS::IAM::AccessKey:AKIAEXAMPLE'],
  ['account', '012345678901', 'AwsAccount', 'AWS::::Account:012345678901'],
  ['user-agent', 'curl/8', 'Other', 'user-agent/curl/8'],
]

for (const [kind, entity, type, id] of entities)
  test(`the resource of ${kind} ${entity}`, () => {
    const who = whoIs({ entity }, { kind })
    assert.deepEqual([who.type, who.id], [type, id])
  })
