import type { Access } from '../../sandbox/access.ts'
import { type Judgement, judge } from './judge.ts'
import { listOf, type Policies, type Statement } from './policies.ts'

/** What the policies make of these calls, in their order. */
export async function judged(policies: Policies, account: string, accesses: readonly Access[]): Promise<Judgement[]> {
  const judgements: Judgement[] = []
  for (const access of accesses) judgements.push(await judge(policies, account, access))
  return judgements
}

/** Calls that are refused: who lacks what. */
export const refused = (judgements: readonly Judgement[]): string[] =>
  judgements.filter(({ isAllowed }) => !isAllowed).map(({ says }) => says)

/** Parts of the policies that AWS needs although no call to the sandbox can show it, and why. */
export type Exceptions = Readonly<Record<string, string>>

/**
 * Parts of the policies that no call needs: actions and resources of a statement without which everything would still be allowed, and
 * exceptions that are none.
 */
export function needless(policies: Policies, judgements: readonly Judgement[], exceptions: Exceptions): string[] {
  const used = new Set(judgements.filter(({ isAllowed }) => isAllowed).flatMap((one) => partsNeeded(policies, one)))
  const all = statementsOf(policies).flatMap(({ who, statement: { Sid, Action, Resource } }) =>
    [...listOf(Action), ...listOf(Resource)].map((part) => `${who} ${Sid}: ${part}`),
  )
  const excepted = Object.keys(exceptions)
  return [
    ...all.filter((part) => !used.has(part) && !excepted.includes(part)).map((part) => `${part} is not needed`),
    ...excepted.filter((part) => used.has(part)).map((part) => `${part} is no exception: it is needed`),
    ...excepted.filter((part) => !all.includes(part)).map((part) => `${part} is an exception, and in no policy`),
  ]
}

/** The action and the resource that a call rests on, if it rests on one statement and one resource in it alone. */
function partsNeeded({ names }: Policies, { access, grounds }: Judgement): string[] {
  const [ground, ...others] = grounds
  if (ground === undefined || others.length > 0) return []
  const where = `${names[access.principal]} ${ground.sid}`
  const [resource, ...more] = ground.resources
  return [`${where}: ${ground.action}`, ...(more.length === 0 ? [`${where}: ${resource}`] : [])]
}

interface Placed {
  readonly who: string
  readonly policy: string
  readonly statement: Statement
}

export const statementsOf = ({ identities }: Policies): Placed[] =>
  Object.entries(identities).flatMap(([who, policies]) =>
    Object.entries(policies).flatMap(([policy, { Statement }]) =>
      Statement.map((statement) => ({ who, policy, statement })),
    ),
  )

/** The same policies with other statements in one place. */
export function changed(
  policies: Policies,
  { who, policy }: Pick<Placed, 'who' | 'policy'>,
  change: (statements: readonly Statement[]) => readonly Statement[],
): Policies {
  const own = policies.identities[who] ?? {}
  const before = own[policy]
  if (before === undefined) throw new Error(`${who} has no policy ${policy}`)
  const after = { ...before, Statement: change(before.Statement) }
  return { ...policies, identities: { ...policies.identities, [who]: { ...own, [policy]: after } } }
}
