import type { Stack } from '../../lib/aws/cloudformation/stack.ts'
import { UserError } from '../../lib/cli/errors.ts'
import type { OpenStack } from '../setup.ts'
import { digestIn, shippedTemplate } from '../template.ts'

const setup = ({ name }: Pick<Stack, 'name'>): string => `npx zx scripts/setup.mjs --stack ${name}`

/** Whether the stack was made from the template of this version: an older one lacks rights that newer scripts need. */
export async function asShipped(stack: Stack): Promise<string> {
  if (stack.outputs.Template === digestIn(await shippedTemplate())) return 'the one of this version'
  throw new UserError(`stack ${stack.name} was made from another template`, {
    hint: `${setup(stack)} shows what would change, and asks`,
  })
}

/** CloudFormation's own account of it: what an update has left undone, it goes on calling failed. */
export async function allComplete(opened: OpenStack, stack: Stack): Promise<string> {
  const resources = await allowed(stack, () => opened.resources(stack.id))
  const undone = resources.find(({ status }) => !status.endsWith('_COMPLETE'))
  if (undone === undefined) return `${resources.length}, all complete`
  const { resource, type, status, reason } = undone
  throw new UserError(`${resource} (${type}) is ${status}${reason === undefined ? '' : `: ${reason}`}`, {
    hint: `when the cause is gone, ${setup(stack)} --restore makes it as the template says`,
  })
}

/** @throws UserError for a role that is gone, or is not as the stack made it */
export async function roleAsMade(opened: OpenStack, stack: Stack, role: string): Promise<void> {
  const { status, changed } = await allowed(stack, () => opened.drift(role, stack.id))
  if (status === 'as made') return
  const says = {
    deleted: 'was deleted, and its stack does not know',
    changed: `was changed outside of its stack: ${changed.join(', ')}`,
    unknown: 'cannot be compared with what its stack made',
  }
  const hint =
    status === 'unknown'
      ? `look at it: aws cloudformation detect-stack-resource-drift --stack-name ${stack.name} --logical-resource-id ${role}`
      : `${setup(stack)} --restore shows what goes back to what the template says, and asks`
  throw new UserError(`${role} ${says[status]}`, { hint })
}

/** Who has the policy of an older stack lacks what this version asks for. */
async function allowed<T>(stack: Stack, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof UserError) || error.exitCode !== 4) throw error
    const hint = `${error.hint}; the operator policy of this version has it: ${setup(stack)}`
    throw new UserError(error.message, { hint, cause: error, exitCode: 4 })
  }
}
