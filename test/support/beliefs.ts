import { readFileSync } from 'node:fs'

/** One row of `beliefs.md`. */
export interface Belief {
  /** By which `setup --check --try` reports it; undefined when it is not tried. */
  readonly id: string | undefined
  readonly belief: string
  readonly source: string
  readonly status: string
}

/** The rows of the tables in a text of Markdown that have the columns belief, source and status. @throws Error on a row of another form */
export function beliefsIn(markdown: string): Belief[] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\| (belief|---) \|/.test(line))
    .map((line) => {
      const cells = line.split(' | ')
      const [first = '', source = '', last = ''] = cells
      if (cells.length !== 3 || !line.endsWith(' |')) throw new Error(`not belief, source, status: ${line}`)
      const [, id, belief = first.slice(2)] = /^\| `([a-z0-9]+(?:-[a-z0-9]+)+)`: (.*)$/.exec(first) ?? []
      return { id, belief, source, status: last.slice(0, -2) }
    })
}

/** What the sandbox takes to be so of AWS. */
export const writtenBeliefs = (): Belief[] =>
  beliefsIn(readFileSync(new URL('../sandbox/beliefs.md', import.meta.url), 'utf8'))

/** What is wrong with a row; undefined when nothing is. */
export function faultOfBelief({ id, belief, source, status }: Belief): string | undefined {
  if (belief.trim() === '') return 'a row says nothing'
  if (source.trim() === '') return `${belief}: no source`
  if (!/^(documented|only believed|seen by others \([^()]+\))$/.test(status))
    return `${belief}: "${status}" is none of documented, seen by others (who), only believed`
  if (status === 'only believed' && id === undefined && !/Not tried: \S/.test(source))
    return `${belief}: name what tries it, or say in the source "Not tried: why"`
  return undefined
}
