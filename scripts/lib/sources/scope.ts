import type { Variables } from './layout.ts'

interface Placed {
  readonly variables: Variables
}

/** What branches have of a variable, each value once. */
export const valuesOf = (branches: readonly Placed[], variable: string): string[] => [
  ...new Set(branches.map(({ variables }) => variables[variable]).filter((value) => value !== undefined)),
]

/** What was asked for, in words: `account 111122223333 in region eu-west-1`. */
export const scopeText = (accounts: readonly string[], regions: readonly string[]): string =>
  [accounts.length > 0 && `account ${accounts.join(', ')}`, regions.length > 0 && `region ${regions.join(', ')}`]
    .filter(Boolean)
    .join(' in ')

/** Which accounts and regions there are, for who asked for others. */
export const scopesThere = (branches: readonly Placed[]): string =>
  `accounts there: ${some(valuesOf(branches, 'account'))}; regions: ${some(valuesOf(branches, 'region'))}`

const SHOWN = 8

const some = (values: readonly string[]): string =>
  values.length <= SHOWN ? values.join(', ') : `${values.slice(0, SHOWN).join(', ')} and ${values.length - SHOWN} more`
