import assert from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { linesOf } from '../../../scripts/lib/stores/lines.ts'
import { tempFolder } from '../../support/temp.ts'

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function read(bytes: AsyncIterable<Buffer>): Promise<string[]> {
  const lines: string[] = []
  for await (const line of linesOf(bytes)) lines.push(line)
  return lines
}

test('lines end at a line feed and nowhere else, however the bytes are cut', () => {
  const character = fc.constantFrom('a', '\n', '\r', '\u0085', '\u2028', '\u2029', '\v', '\f', 'é', '漢', '🙂')
  return fc.assert(
    fc.asyncProperty(fc.string({ unit: character }), fc.integer({ min: 1, max: 9 }), async (text, size) => {
      const expected = text.split('\n')
      if (expected.at(-1) === '') expected.pop()
      assert.deepEqual(await read(pieces(Buffer.from(text), size)), expected)
    }),
  )
})

test('a read that fails is an error of who reads', async () => {
  await assert.rejects(read(createReadStream(tempFolder())), { code: 'EISDIR' })
})
