import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'

const TEMPLATE = new URL('../../cfn/prestage.yaml', import.meta.url)

/** The template of this version. */
export const shippedTemplate = (): Promise<string> => readFile(TEMPLATE, 'utf8')

/** The digest that a template has of itself. A stack keeps it as its output `Template`, so that it tells what it was made from. */
export function digestIn(template: string): string {
  // What CloudFormation's short forms mean does not matter to it.
  const { Outputs } = parse(template, { logLevel: 'silent' }) as { Outputs: { Template: { Value: string } } }
  return Outputs.Template.Value
}
