import type { Stack } from '../aws/stack.ts'
import { UserError } from '../cli/errors.ts'
import type { OpenStack } from './set-up.ts'
import { differences, shippedTemplate } from './template.ts'

const setup = ({ name }: Pick<Stack, 'name'>): string => `npx zx scripts/setup.mjs --stack ${name}`

/** Whether the stack is what this version would make: an older one lacks rights that newer scripts need. */
export async function asShipped(opened: OpenStack, stack: Stack): Promise<string> {
  const deployed = await allowed(stack, () => opened.template(stack.id))
  const differ = differences(deployed, await shippedTemplate(), stack.parameters)
  if (differ.length === 0) return 'the one of this version'
  const [first, ...more] = [...differ.filter((name) => !isQuery(name)), ...differ.filter(isQuery)]
  throw new UserError(
    `stack ${stack.name} was made from another template: ${first}${more.length === 0 ? ' differs' : ` and ${more.length} more differ`}`,
    { hint: `${setup(stack)} shows what would change, and asks` },
  )
}

/** Questions of sql/explore, which no step needs. */
const isQuery = (name: string): boolean => /^Query[A-Z]/.test(name)

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
