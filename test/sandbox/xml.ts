/** An element of a parsed XML document: names without prefix, text without the white space between elements. */
export interface Element {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly Element[]
  readonly text: string
}

/** What the writer takes: a text, a list of siblings of one name, or members in order. Undefined members are left out. */
export type Node = string | number | boolean | Date | undefined | readonly Node[] | { readonly [name: string]: Node }

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }

// Control characters are written as references, as S3 does, so that a carriage return in a key survives parsing.
const escapeXml = (text: string): string =>
  text.replace(/[&<>"'\p{Cc}]/gu, (c) => ESCAPES[c] ?? `&#x${c.charCodeAt(0).toString(16).toUpperCase()};`)

function write(name: string, node: Node): string {
  if (node === undefined) return ''
  if (Array.isArray(node)) return node.map((item: Node) => write(name, item)).join('')
  if (node instanceof Date) return `<${name}>${node.toISOString()}</${name}>`
  if (typeof node !== 'object') return `<${name}>${escapeXml(String(node))}</${name}>`
  return `<${name}>${members(node as Record<string, Node>)}</${name}>`
}

const members = (node: Record<string, Node>): string =>
  Object.entries(node)
    .map(([name, value]) => write(name, value))
    .join('')

/** A document with one root; a list under a name is written as repeated elements of that name. */
export function toXml(root: string, node: Record<string, Node>, namespace?: string): string {
  const open = namespace === undefined ? root : `${root} xmlns="${namespace}"`
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${open}>${members(node)}</${root}>`
}

const NAMED: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

const unescaped = (text: string): string =>
  !text.includes('&')
    ? text
    : text.replace(/&(#x[0-9a-f]+|#\d+|\w+);/gi, (whole, name: string) => {
        if (name.startsWith('#x')) return String.fromCodePoint(Number.parseInt(name.slice(2), 16))
        if (name.startsWith('#')) return String.fromCodePoint(Number(name.slice(1)))
        return NAMED[name] ?? whole
      })

// An element that holds only text is one token: most of a listing is such.
const TOKEN =
  /<([^\s/>!?]+)>([^<]*)<\/\1>|<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<(\/?)([^\s/>]+)((?:\s+[^\s=]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>|[^<]+/gy

type Open = { name: string; attributes: Record<string, string>; children: Element[]; text: string }

const close = (open: Open): Element => ({ ...open, text: open.children.length > 0 ? '' : open.text })

const local = (name: string): string => name.slice(name.indexOf(':') + 1)

function attributes(text: string): Record<string, string> {
  const found = text.matchAll(/([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)
  return Object.fromEntries([...found].map(([, name = '', a, b]) => [name, unescaped(a ?? b ?? '')]))
}

/** The root of a document. No DTD, no CDATA: AWS answers and requests have neither. @throws Error when malformed */
export function parseXml(text: string): Element {
  const root: Open = { name: '', attributes: {}, children: [], text: '' }
  const stack: Open[] = [root]
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex
    const match = TOKEN.exec(text)
    const top = stack.at(-1)
    if (match === null || top === undefined) throw new Error(`malformed XML at character ${at}`)
    const [token, leaf, content, slash, name, rest = '', selfClosing] = match
    if (leaf !== undefined) {
      top.children.push({ name: local(leaf), attributes: {}, children: [], text: unescaped(content ?? '') })
    } else if (name === undefined) {
      if (!token.startsWith('<')) top.text += unescaped(token)
    } else if (slash === '/') {
      if (top.name !== local(name) || stack.length === 1) throw new Error(`unexpected </${name}>`)
      stack.pop()
      stack.at(-1)?.children.push(close(top))
    } else {
      const open: Open = { name: local(name), attributes: attributes(rest), children: [], text: '' }
      if (selfClosing === '/') top.children.push(close(open))
      else stack.push(open)
    }
  }
  const [element] = root.children
  if (stack.length !== 1 || element === undefined || root.children.length !== 1) throw new Error('malformed XML')
  return element
}

export const child = (element: Element | undefined, name: string): Element | undefined =>
  element?.children.find((c) => c.name === name)

export const childText = (element: Element | undefined, name: string): string | undefined => child(element, name)?.text
