import type { Words } from './words.ts'

/** A table as a statement names it; without a database it is one of the query's own. */
export interface TableName {
  readonly database: string | undefined
  readonly name: string
}

export function readTableName(words: Words): TableName {
  const first = words.name()
  return words.has('.') ? { database: first, name: words.name() } : { database: undefined, name: first }
}

/** @throws AwsError when something follows */
export function ended(words: Words): void {
  words.has(';')
  if (words.next.kind !== 'end') throw words.unexpected('<EOF>')
}

/** The rest of a statement is a query. @throws AwsError when more follows */
export function readQuery(words: Words): string {
  const { start } = words.next
  let end = start
  while (words.next.kind !== 'end' && words.next.text !== ';') {
    if (words.next.kind === 'backquoted') words.name()
    end = words.take().end
  }
  ended(words)
  return words.text.slice(start, end)
}
