import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'

const TEMPLATE = new URL('../../cfn/prestage.yaml', import.meta.url)

/** The template of this version. */
export const shippedTemplate = (): Promise<string> => readFile(TEMPLATE, 'utf8')

/** What parameters of a template are when nobody says otherwise. */
export function defaultsIn(template: string): Record<string, string> {
  const { Parameters } = read(template)
  return Object.fromEntries(Object.entries(Parameters).map(([name, { Default = '' }]) => [name, String(Default)]))
}

/** The digest that a template has of itself. A stack keeps it as its output `Template`, so that it tells what it was made from. */
export const digestIn = (template: string): string => read(template).Outputs.Template.Value

interface Read {
  readonly Parameters: Readonly<Record<string, { readonly Default?: string | number }>>
  readonly Outputs: { readonly Template: { readonly Value: string } }
}

/** What CloudFormation's short forms mean does not matter here. */
const read = (template: string): Read => parse(template, { logLevel: 'silent' })
