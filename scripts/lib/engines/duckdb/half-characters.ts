/** A string in JSON may hold half of a surrogate pair, which no UTF-8 can: whoever writes a user agent must not stop the reading. */
const ESCAPED_HALF = /\\u[dD][89a-fA-F]/

/** Lines of JSON with the replacement character in place of halves. What is not JSON stays as it is. */
export function withoutHalfCharacters(lines: Buffer): Buffer {
  if (!lines.includes('\\ud') && !lines.includes('\\uD')) return lines
  const text = lines.toString('utf8')
  return Buffer.from(
    text.replace(/.*\n/g, (line) => (ESCAPED_HALF.test(line) ? `${repaired(line.slice(0, -1))}\n` : line)),
  )
}

function repaired(line: string): string {
  try {
    return JSON.stringify(JSON.parse(line), (_, value: unknown) =>
      typeof value === 'string' ? value.replace(/\p{Surrogate}/gu, '\ufffd') : value,
    )
  } catch {
    return line
  }
}
