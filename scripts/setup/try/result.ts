import type { Stack } from '../../lib/aws/cloudformation/stack.ts'
import type { CommandResult, Context } from '../../lib/cli/command.ts'
import { comparisonsText } from './render.ts'
import { planOfTry, runTry, type TryOptions } from './try.ts'

/** What --check found, and then what the try did. */
export async function triedResult(
  context: Context,
  stack: Stack,
  check: CommandResult & { readonly json: { readonly ok: boolean } },
  { dryRun, ...options }: TryOptions & { readonly dryRun: boolean },
): Promise<CommandResult> {
  if (dryRun) {
    const { plan, usd } = planOfTry(options.withEndpoint)
    return {
      json: { ...check.json, dryRun, usd },
      text: [check.text, '', 'would', ...plan].join('\n'),
      exitCode: check.json.ok ? 0 : 1,
    }
  }
  context.talk.info(check.text)
  const { comparisons, file } = await runTry(context, stack, options)
  const differs = comparisons.some(({ as }) => as === 'not believed')
  return {
    json: { ...check.json, comparisons, file },
    text: `${comparisonsText(comparisons)}\n\n${file} has this table; it can be attached to an issue of prestage`,
    exitCode: check.json.ok && !differs ? 0 : 1,
  }
}
