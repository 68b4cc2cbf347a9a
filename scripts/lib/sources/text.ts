/** How the fields of a record lie in a line. */
export type TextFormat = PatternFormat | ColumnsFormat

/** A line that a regular expression takes apart. */
interface PatternFormat {
  /**
   * For a whole line, with a named group for each member. Athena's RegexSerDe has the same one, so it holds only what Java and
   * JavaScript read alike, over bytes as over characters: no `.`, `\s` or `\w`. Fields that AWS appends must not matter.
   */
  readonly pattern: string
}

/** Fields between separators, in an order that the file itself says. */
interface ColumnsFormat {
  readonly separator: '\t' | ' '
  /** What begins the line that names the fields, with blanks or tabs between them; '' when it is the first of the file. */
  readonly header: string
  /** Pattern of such a line as a whole, where it may be told from a record by nothing that begins it. */
  readonly names?: string
  /** What begins the lines that are no records. */
  readonly comment?: string
}

/**
 * What stands between quotes, for patterns: a backslash takes the next character along, and a quote is the last one only before a blank
 * or at the end of the line.
 */
export const QUOTED = '[^"\\\\]*(?:(?:\\\\[^\\n]|"(?! ))[^"\\\\]*)*'
