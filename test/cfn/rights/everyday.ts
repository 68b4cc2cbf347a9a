import type { Access } from '../../sandbox/access.ts'
import { judge } from './judge.ts'
import { ACCOUNT, byTheseNames, renderedPolicies } from './rendered.ts'

/** Where tests go that the stack does not know: names of a user's own, which need rights of their own. */
const OWN: readonly RegExp[] = [
  // --endpoint NAME; the stack's begin with prestage-
  /:(endpoint|endpoint-config|model)\/(mine|none|taken|who-logs-in)\b/,
  // --workgroup NAME, and where it puts its results
  /:workgroup\/security$|:::answers\b|:::org-staging\/results\//,
  // --database NAME, --workspace URI
  /:(database|table)\/other\b|:::org-staging\/other\/|:::far\b/,
  // --model URI without a run; inventory reports
  /:::(models|inventories)\b|:::org-staging\/m\//,
  // nightly --topic ARN; that of the nights' own stack is proven with it
  /:sns:[a-z0-9-]+:\d+:nights$/,
  // --stack NAME
  /:stack\/(other|theirs|moving)\//,
]

/** Who sets up a stack has the rights of an administrator. */
const isSetup = ({ action }: Access): boolean =>
  /^cloudformation:(?!(DescribeStacks|DescribeStackResources|DetectStackResourceDrift)$)/.test(action)

/** The key of a workspace that is no stack's: whoever may not look at it goes on. The stack tells that of its own. */
const isOptional = ({ action }: Access): boolean => action === 's3:GetEncryptionConfiguration'

/** Calls of scripts that the policies of the template do not allow. */
export async function refusedEveryday(accesses: readonly Access[]): Promise<string[]> {
  const policies = renderedPolicies()
  const says: string[] = []
  for (const access of accesses) {
    if (isSetup(access) || isOptional(access) || OWN.some((place) => place.test(access.resource))) continue
    const judgement = await judge(policies, ACCOUNT, byTheseNames(access))
    if (!judgement.isAllowed) says.push(judgement.says)
  }
  return says
}
