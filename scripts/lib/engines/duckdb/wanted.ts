import { isAt } from './json-bytes.ts'

/** A member to look for. */
export interface Wanted {
  readonly name: Buffer
  /** Where it is an object, what is wanted of it, by the length of the name; undefined for all. */
  readonly members: Wanted[][] | undefined
}

/** The members that paths name, by the length of the name. */
export function wantedOf(paths: readonly string[]): Wanted[][] {
  const byLength: Wanted[][] = []
  for (const name of new Set(paths.map((path) => path.split('.')[0] as string))) {
    const isWhole = paths.includes(name)
    const inner = paths.filter((path) => path.startsWith(`${name}.`)).map((path) => path.slice(name.length + 1))
    const wanted: Wanted = { name: Buffer.from(name), members: isWhole ? undefined : wantedOf(inner) }
    const { length } = wanted.name
    byLength[length] = [...(byLength[length] ?? []), wanted]
  }
  return byLength
}

/** Which of some members with names of the right length begins here. */
export function memberAt(bytes: Buffer, at: number, candidates: readonly Wanted[] | undefined): Wanted | undefined {
  if (candidates !== undefined)
    for (const candidate of candidates) if (isAt(bytes, at, candidate.name)) return candidate
  return undefined
}
