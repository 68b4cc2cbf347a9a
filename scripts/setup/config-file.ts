import { readFile, rm, writeFile } from 'node:fs/promises'
import { Document, isMap, parseDocument } from 'yaml'
import { messageOf, UserError } from '../lib/cli/errors.ts'

/** What became of a configuration file. `other`: it names another stack, and was left alone. */
export type Noted = { readonly how: 'made' | 'added' | 'there' } | { readonly how: 'other'; readonly stack: string }

/** Notes settings in a configuration file that lacks them; all else in it, comments too, stays as it is. */
export async function noteStack(path: string, settings: Readonly<Record<string, string>>): Promise<Noted> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new UserError(`${path} cannot be read: ${messageOf(error)}`, { hint: noteByHand(settings) })
  })
  const document = text === undefined ? new Document({}) : parseDocument(text)
  if (document.errors[0] !== undefined || !(document.contents === null || isMap(document.contents)))
    throw new UserError(`${path} is not a list of settings, and was left alone`, { hint: noteByHand(settings) })
  const { stack = '' } = settings
  const there = document.get('stack')
  if (there !== undefined && there !== stack) return { how: 'other', stack: String(there) }
  const missing = Object.entries(settings).filter(([name]) => document.get(name) === undefined)
  if (missing.length === 0) return { how: 'there' }
  for (const [name, value] of missing) document.set(name, value)
  await writeFile(path, document.toString())
  return { how: text === undefined ? 'made' : 'added' }
}

/** Whether a configuration file names this stack in a line of its own. */
export async function namesStack(path: string, stack: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const document = parseDocument(text)
  return document.errors.length === 0 && isMap(document.contents) && document.get('stack') === stack && STACK.test(text)
}

const STACK = /^stack *:.*(?:\r?\n|$)/m

/** Takes the line with the stack out of a configuration file; all else stays. A file that held nothing else is removed. */
export async function forgetStack(path: string): Promise<void> {
  const rest = (await readFile(path, 'utf8')).replace(STACK, '')
  if (rest.trim() === '') await rm(path)
  else await writeFile(path, rest)
}

const noteByHand = (settings: Readonly<Record<string, string>>): string =>
  `add to it by hand: ${Object.entries(settings)
    .map(([name, value]) => `${name}: ${value}`)
    .join(', ')}`
