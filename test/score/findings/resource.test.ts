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

const details = {
  first: '2026-03-10T01:00:00.000Z',
  last: '2026-03-10T02:00:00.000Z',
  accesses: 3,
  aspects: {
    name: [{ value: 'john', events: 3 }],
    account: [{ value: '111122223333', events: 3 }],
    credential: [{ value: 'AKIAEXAMPLE', events: 3 }],
  },
}
const withArn = (value: string) => ({ ...details, aspects: { ...details.aspects, arn: [{ value, events: 3 }] } })
const USER = 'arn:aws:iam::111122223333:user/team/john'
const SESSION = 'arn:aws:sts::111122223333:assumed-role/john/s'

test('a user has the name and the ARN that the logs tell, a role its name', () => {
  const user = whoIs({ entity: 'AIDAEXAMPLE', details: withArn(USER) }, { kind: 'principal' })
  assert.deepEqual([user.id, user.details], [USER, { AwsIamUser: { UserId: 'AIDAEXAMPLE', UserName: 'john' } }])
  const role = whoIs({ entity: 'AROAEXAMPLE', details: withArn(SESSION) }, { kind: 'principal' })
  assert.deepEqual(
    [role.id, role.details],
    ['AROAEXAMPLE', { AwsIamRole: { RoleId: 'AROAEXAMPLE', RoleName: 'john' } }],
  )
  assert.deepEqual(role.user, {
    uid: 'AROAEXAMPLE',
    name: 'john',
    uid_alt: SESSION,
    account: { uid: '111122223333' },
    credential_uid: 'AKIAEXAMPLE',
  })
})

test('by name or by ARN, the other is beside it', () => {
  const named = whoIs({ entity: 'john', details: withArn(USER) }, { kind: 'user-name' })
  assert.deepEqual([named.user?.name, named.user?.uid], ['john', USER])
  const byArn = whoIs({ entity: USER, details: withArn(USER) }, { kind: 'arn' })
  assert.deepEqual([byArn.user?.uid, byArn.user?.name, byArn.user?.uid_alt], [USER, 'john', undefined])
})
