import { createHash } from 'node:crypto'

const VALUE = /(^ {2}Template:\n(?: {4}.*\n)*? {4}Value: ')[^']*(?=')/m

/** A template with the digest of all the rest of it in its output `Template`. @throws Error when it has no place for it */
export function withDigest(template: string): string {
  if (!VALUE.test(template)) throw new Error('the template has no output Template')
  const blank = template.replace(VALUE, '$1')
  const digest = createHash('sha256').update(blank).digest('hex').slice(0, 12)
  return template.replace(VALUE, `$1${digest}`)
}
