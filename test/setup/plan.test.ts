import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Change } from '../../scripts/lib/aws/cloudformation/change-set.ts'
import { changeLines, changeText } from '../../scripts/setup/setup.ts'

const change = (given: Partial<Change>): Change => ({
  action: 'Add',
  resource: 'A',
  type: 'AWS::S3::Bucket',
  physical: undefined,
  replaced: 'no',
  kept: false,
  details: [],
  ...given,
})

const texts: [what: string, given: Partial<Change>, says: RegExp][] = [
  ['something new', {}, /^ {2}\+ bucket A$/],
  ['a type without a word', { type: 'AWS::X::Y' }, /^ {2}\+ AWS::X::Y A$/],
  ['a change', { action: 'Modify', details: ['Tags', 'Name'] }, /^ {2}~ bucket A: Tags, Name$/],
  [
    'a replacement',
    { action: 'Modify', replaced: 'yes', physical: 'b' },
    /^ {2}! bucket A \(b\) is REPLACED.*runs stay/,
  ],
  ['perhaps', { action: 'Modify', replaced: 'perhaps', type: 'AWS::IAM::Role' }, /^ {2}! role A may be REPLACED/],
  ['a removal', { action: 'Remove', type: 'AWS::Athena::WorkGroup' }, /workgroup A is DELETED; its history/],
  ['what stays', { action: 'Remove', kept: true }, /^ {2}- bucket A leaves the stack and stays as it is$/],
]
for (const [what, given, says] of texts)
  test(`a change in words: ${what}`, () => assert.match(changeText(change(given)), says))

test('saved queries are one line', () => {
  const query = change({ type: 'AWS::Athena::NamedQuery' })
  assert.deepEqual(changeLines([query, change({}), query]), ['  + bucket A', '  + 2 saved queries of Athena'])
  assert.deepEqual(changeLines([query, { ...query, action: 'Modify' }]), ['  ~ 2 saved queries of Athena'])
})
