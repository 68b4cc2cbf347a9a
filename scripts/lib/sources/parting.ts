import type { Layout } from './layout.ts'
import { expressionOf, piecesOf } from './template.ts'

/** Where a key stops to have a layout. */
export interface Parting {
  /** How many characters, from the start of the key on, still have the layout. */
  readonly at: number
  /** How many of them belong to the layout itself, not to the prefix before it. */
  readonly matched: number
  /** What the layout has there, in words. */
  readonly expected: string
}

/** One step through a layout: a character, a variable, or the end of the name. */
interface Step {
  readonly pattern: string
  /** What is missing when this step fails. @param values what the variables before it are */
  expected(values: Readonly<Record<string, string | undefined>>): string
}

/** How far a key follows a layout, at best. For keys that do not have it to the end. */
export function partingOf(layout: Layout, key: string): Parting {
  const steps = stepsOf(layout)
  for (let taken = steps.length; taken > 0; taken--) {
    const pattern = steps.slice(0, taken).map((step) => step.pattern)
    // The shortest prefix leaves most for the layout.
    const match = new RegExp(`^(?<root>(?:.*?/)?)${pattern.join('')}`, 'ds').exec(key)
    if (match === null) continue
    const { root = '', ...values } = match.groups ?? {}
    const next = steps[taken]
    // All of it fits, and still it is no time: 31 February.
    const [at, expected] =
      next === undefined
        ? [match.indices?.groups?.yyyy?.[0] ?? 0, 'a time that exists']
        : [match[0].length, next.expected(values)]
    return { at, matched: match[0].length - root.length, expected }
  }
  return { at: 0, matched: 0, expected: steps[0]?.expected({}) ?? '' }
}

function stepsOf({ path, timed, tail }: Layout): Step[] {
  const seen = new Set<string>()
  const steps = piecesOf(path + timed).flatMap((piece): Step[] => {
    if ('text' in piece)
      return [...piece.text].map((character, i) => ({
        pattern: expressionOf({ text: character }, seen),
        expected: () => JSON.stringify(piece.text.slice(i)),
      }))
    const { name } = piece
    const isRepeated = seen.has(name)
    // What ends a variable is looked for later on; until then it reaches as far as it can.
    const pattern = expressionOf(piece, seen).replaceAll('+?', '+')
    if (!piece.isOptional) seen.add(name)
    return [
      {
        pattern,
        expected: (values) => (isRepeated ? `{${name}} again, ${JSON.stringify(values[name])}` : `{${name}}`),
      },
    ]
  })
  return [...steps, { pattern: `${tail}$`, expected: () => `an end that matches ${tail}` }]
}
