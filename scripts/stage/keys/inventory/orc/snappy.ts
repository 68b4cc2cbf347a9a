/** Inflates a block of Snappy. "Snappy compressed format description". @throws Error for what is none */
export function unsnappy(input: Buffer): Buffer {
  let at = 0
  const byte = (): number => {
    const value = input[at++]
    if (value === undefined) throw new Error('a Snappy block is cut off')
    return value
  }
  const number = (bytes: number): number => {
    let value = 0
    for (let i = 0; i < bytes; i++) value += byte() * 256 ** i
    return value
  }
  let [length, scale] = [0, 1]
  for (let more = true; more; scale *= 128) {
    const next = byte()
    length += (next & 0x7f) * scale
    more = next >= 0x80
  }
  if (length > LONGEST) throw new Error('a Snappy block is too long')
  const output = Buffer.alloc(length)
  let to = 0
  while (at < input.length) {
    const tag = byte()
    const kind = tag & 3
    if (kind === 0) {
      const size = (tag >> 2 < 60 ? tag >> 2 : number((tag >> 2) - 59)) + 1
      if (size > input.length - at || size > length - to) throw new Error('a Snappy block is cut off')
      to += input.copy(output, to, at, at + size)
      at += size
    } else {
      const size = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1
      const offset = kind === 1 ? (tag >> 5) * 256 + byte() : number(kind === 2 ? 2 : 4)
      if (offset === 0 || offset > to || size > length - to) throw new Error('a Snappy block refers to what it has not')
      // Byte by byte: a copy may reach into itself.
      for (const end = to + size; to < end; to++) output[to] = output[to - offset] ?? 0
    }
  }
  if (to !== length) throw new Error('a Snappy block is cut off')
  return output
}

/** ORC's blocks have 256 KiB, and 8 MiB at most. */
const LONGEST = 2 ** 26
