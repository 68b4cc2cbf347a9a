import type { AwsSettings } from './settings.ts'

/**
 * Outputs of a stack of `setup`, and `Logs`: where logs may be read. CloudFormation's client loads only here.
 * @throws UserError when there is no such stack, or it is not finished
 */
export async function stackOutputs(name: string, settings: AwsSettings): Promise<Readonly<Record<string, string>>> {
  const { outputsOfStack } = await import('./cloudformation/stack.ts')
  return outputsOfStack(name, settings)
}
