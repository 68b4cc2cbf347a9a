import { StringDecoder } from 'node:string_decoder'

/**
 * The lines of a text file, without their line feed. Only that ends one: `node:readline` also ends lines at a carriage
 * return and, from Node 24 on, at U+2028, which what strangers wrote may hold; and it does not tell of a failed read.
 */
export async function* linesOf(bytes: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8')
  let open: string[] = []
  for await (const chunk of bytes) {
    const [first = '', ...rest] = decoder.write(chunk).split('\n')
    open.push(first)
    if (rest.length === 0) continue
    yield open.join('')
    const last = rest.pop() ?? ''
    yield* rest
    open = [last]
  }
  const last = `${open.join('')}${decoder.end()}`
  if (last !== '') yield last
}
