import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'

/** Names what files hold, one after the other. */
export async function digestOfFiles(files: readonly string[]): Promise<string> {
  const all = createHash('sha256')
  for (const file of files) {
    const one = createHash('sha256')
    await pipeline(createReadStream(file), one)
    all.update(one.digest())
  }
  return all.digest('hex')
}
