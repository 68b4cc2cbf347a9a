import assert from 'node:assert/strict'
import { test } from 'node:test'
import { differences, shippedTemplate } from '../../scripts/setup/template.ts'

const TEXT = `
Parameters:
  Prefix: { Type: String, Default: prestage, Description: a word }
  Keys: { Type: CommaDelimitedList, Default: '' }
  Days: { Type: Number, Default: 90 }
Conditions:
  HasKeys: !Not [!Equals [!Join ['', !Ref Keys], '']]
  HasBoth: !And [!Condition HasKeys, !Equals [!Ref Days, '90']]
Mappings:
  Words: { a: { one: select 1, two: ' from b' } }
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties: { Days: !Ref Days, Query: !FindInMap [Words, a, one] }
  Query:
    Type: AWS::Athena::NamedQuery
    Properties: { QueryString: !Join ['', [!FindInMap [Words, a, one], ' from b', !Ref Bucket]] }
  Role:
    Type: AWS::IAM::Role
    Properties:
      Path: !Sub '\${Bucket.Arn}/\${Prefix}/*'
      Arn: !GetAtt Bucket.Arn
      Statement:
        - Sid: Always
        - !If [HasKeys, { Sid: Keys, Resource: !Ref Keys }, !Ref 'AWS::NoValue']
  Key:
    Type: AWS::KMS::Key
    Condition: HasBoth
Outputs:
  Name: { Value: !Ref Bucket, Description: its name }
`
const KEYS = { Keys: 'arn:aws:kms:us-east-1:111122223333:key/1' }

const cases: [what: string, from: string | RegExp, to: string, given: Record<string, string>, names: string[]][] = [
  ['nothing', '', '', {}, []],
  ['line ends', /\n/g, '\r\n', KEYS, []],
  ['comments', 'Resources:', '# of ours\nResources:', KEYS, []],
  ['descriptions', /a word|its name/g, 'another', KEYS, []],
  ['long forms', '!GetAtt Bucket.Arn', '{ Fn::GetAtt: [Bucket, Arn] }', KEYS, []],
  ['a default that is not used', 'Default: 90', 'Default: 30', { Days: '90' }, []],
  ['a default that is used', 'Default: 90', 'Default: 30', {}, ['Bucket']],
  ['a text by way of a mapping', 'select 1', 'select 2', {}, ['Bucket', 'Query']],
  ['a text that is cut otherwise', "' from b', !Ref", '!FindInMap [Words, a, two], !Ref', {}, []],
  ['a text that is joined otherwise', "!Join ['', [", "!Join ['-', [", {}, ['Query']],
  ['another function', '!Sub', '!Ref', {}, ['Role']],
  ['what stands under a condition that holds', 'Sid: Keys', 'Sid: Others', KEYS, ['Role']],
  ['what stands under one that does not', 'Sid: Keys', 'Sid: Others', {}, []],
  ['a condition', "'90']]", "'91']]", KEYS, ['Key']],
  ['a resource more', 'Key:\n', 'Table: { Type: AWS::Glue::Table }\n  Key:\n', KEYS, ['Table']],
  ['an output less', /Outputs:[\s\S]*/, '', KEYS, ['Name']],
  ['how it is kept', 'Condition: HasBoth', 'Condition: HasBoth\n    DeletionPolicy: Retain', KEYS, ['Key']],
]
for (const [what, from, to, given, names] of cases)
  test(`differences of templates: ${what}`, () => {
    const other = TEXT.replace(from, to)
    assert.deepEqual(differences(other, TEXT, given), names)
    assert.deepEqual(differences(TEXT, other, given), names)
  })

test('the template comes back from CloudFormation as it was sent', async () => {
  // It keeps a question mark of all that is not ASCII.
  assert.doesNotMatch(await shippedTemplate(), /[^\n -~]/)
})
