import { invalid } from './errors.ts'

type Kind = 'word' | 'string' | 'double-quoted' | 'backquoted' | 'mark' | 'end'

interface Word {
  readonly kind: Kind
  /** Without quotes and escapes; plain words in lower case. */
  readonly text: string
  readonly start: number
  readonly end: number
}

const BLANK = /(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*/y
const PATTERNS: readonly (readonly [Kind, RegExp])[] = [
  ['word', /[A-Za-z0-9_]+/y],
  ['double-quoted', /"(?:[^"]|"")*"/y],
  ['backquoted', /`(?:[^`]|``)*`/y],
]
const STRING = { hive: /'(?:[^'\\]|\\[\s\S])*'/y, trino: /'(?:[^']|'')*'/y } as const

/** In Hive a backslash escapes; in Trino it does not. */
export type Dialect = keyof typeof STRING

/** The words of a statement, one after the other. */
export class Words {
  readonly text: string
  readonly #dialect: Dialect
  #next: Word

  constructor(text: string, dialect: Dialect) {
    this.text = text
    this.#dialect = dialect
    this.#next = this.#scan(0)
  }

  /** The word that comes next. */
  get next(): Word {
    return this.#next
  }

  take(): Word {
    const word = this.#next
    this.#next = this.#scan(word.end)
    return word
  }

  /** Takes these words when they come next, all or none. */
  has(...wanted: readonly string[]): boolean {
    const before = this.#next
    const all = wanted.every((text) => {
      const { kind, text: found } = this.#next
      if ((kind !== 'word' && kind !== 'mark') || found !== text) return false
      this.take()
      return true
    })
    if (!all) this.#next = before
    return all
  }

  /** @throws AwsError when something else comes next */
  expect(...wanted: readonly string[]): void {
    for (const text of wanted) if (!this.has(text)) throw this.unexpected(`'${text}'`)
  }

  string(): string {
    return this.#of('string')
  }

  /** A name, quoted as the dialect does or not at all. */
  name(): string {
    if (this.#next.kind === 'word') return this.#plainName()
    if (this.#next.kind === 'double-quoted' && this.#dialect === 'trino') return this.take().text.toLowerCase()
    if (this.#next.kind === 'backquoted' && this.#dialect === 'hive') return this.take().text.toLowerCase()
    if (this.#next.kind === 'backquoted')
      throw invalid(
        `line ${this.#at()}: backquoted identifiers are not supported; use double quotes to quote identifiers`,
        'MALFORMED_QUERY',
      )
    throw this.unexpected('<identifier>')
  }

  #plainName(): string {
    if (this.#dialect === 'trino' && /^\d/.test(this.#next.text))
      throw invalid(
        `line ${this.#at()}: identifiers must not start with a digit; surround the identifier with double quotes`,
        'MALFORMED_QUERY',
      )
    return this.take().text
  }

  unexpected(wanted: string): Error {
    const { kind, text } = this.#next
    const found = kind === 'end' ? '<EOF>' : text
    return invalid(`line ${this.#at()}: mismatched input '${found}'. Expecting: ${wanted}`, 'MALFORMED_QUERY')
  }

  #at(): string {
    const before = this.text.slice(0, this.#next.start).split('\n')
    return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`
  }

  #of(kind: Kind): string {
    if (this.#next.kind !== kind) throw this.unexpected(`<${kind}>`)
    return this.take().text
  }

  #scan(from: number): Word {
    const start = this.#end(BLANK, from) ?? from
    if (start >= this.text.length) return { kind: 'end', text: '', start, end: start }
    for (const [kind, pattern] of [...PATTERNS, ['string', STRING[this.#dialect]] as const]) {
      const end = this.#end(pattern, start)
      if (end !== undefined) return { kind, text: plain(kind, this.text.slice(start, end), this.#dialect), start, end }
    }
    return { kind: 'mark', text: this.text[start] ?? '', start, end: start + 1 }
  }

  #end(pattern: RegExp, from: number): number | undefined {
    pattern.lastIndex = from
    return pattern.test(this.text) ? pattern.lastIndex : undefined
  }
}

function plain(kind: Kind, text: string, dialect: Dialect): string {
  if (kind === 'word') return text.toLowerCase()
  const quote = text[0] ?? ''
  const inner = text.slice(1, -1)
  if (kind === 'string' && dialect === 'hive') return inner.replace(/\\([\s\S])/g, '$1')
  return inner.replaceAll(quote + quote, quote)
}

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
