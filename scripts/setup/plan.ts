import type { Change } from '../lib/aws/cloudformation/change-set.ts'
import { plural } from '../lib/cli/format.ts'

/** What a resource is, for people. */
const WORDS: Readonly<Record<string, string>> = {
  'AWS::S3::Bucket': 'bucket',
  'AWS::S3::BucketPolicy': 'policy of the bucket',
  'AWS::IAM::Role': 'role',
  'AWS::IAM::ManagedPolicy': 'policy',
  'AWS::KMS::Key': 'KMS key',
  'AWS::Athena::WorkGroup': 'Athena workgroup',
  'AWS::Athena::NamedQuery': 'saved query',
  'AWS::Glue::Database': 'Glue database',
}

const wordOf = (type: string): string => WORDS[type] ?? type

/** A change in plain words. */
export function changeText(change: Change): string {
  const { action, resource, type, physical, replaced, kept, details } = change
  const what = `${wordOf(type)} ${resource}`
  const named = physical === undefined ? '' : ` (${physical})`
  const about = details.length === 0 ? '' : `: ${details.join(', ')}`
  if (action === 'Add') return `  + ${what}`
  if (action === 'Remove')
    return kept
      ? `  - ${what}${named} leaves the stack and stays as it is`
      : `  - ${what}${named} is DELETED${lossOf(type)}`
  if (replaced === 'no') return `  ~ ${what}${about}`
  const how = replaced === 'yes' ? 'is REPLACED' : 'may be REPLACED'
  return `  ! ${what}${named} ${how} by a new one${about}${lossOf(type)}`
}

/** What goes with a resource. */
const lossOf = (type: string): string =>
  ({
    'AWS::S3::Bucket': '; runs stay in the old one, where nothing looks for them',
    'AWS::Glue::Database': '; its tables go, and are made again when they are needed',
    'AWS::Athena::WorkGroup': '; its history of queries goes',
    'AWS::KMS::Key': '; what it has encrypted can be read only while the old one is kept',
  })[type] ?? ''

/** The saved queries are many and alike. */
export function changeLines(changes: readonly Change[]): string[] {
  const isQuery = ({ type, action }: Change) => type === 'AWS::Athena::NamedQuery' && action !== 'Remove'
  const queries = changes.filter(isQuery)
  const lines = changes.filter((change) => !isQuery(change)).map(changeText)
  const word = queries.every(({ action }) => action === 'Add') ? '+' : '~'
  return queries.length === 0
    ? lines
    : [...lines, `  ${word} ${plural(queries.length, 'saved query', 'saved queries')} of Athena`]
}
