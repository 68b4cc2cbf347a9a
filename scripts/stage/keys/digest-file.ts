import { gunzipSync } from 'node:zlib'
import * as z from 'zod'
import { messageOf, UserError } from '../../cli/errors.ts'
import type { Store } from '../../stores/store.ts'

const time = z.iso.datetime().transform((text) => new Date(text))

/** What is used of a digest. Field names: "CloudTrail digest file structure", CloudTrail user guide. */
const digestSchema = z.object({
  digestS3Object: z.string(),
  digestStartTime: time,
  digestEndTime: time,
  previousDigestS3Object: z.string().nullable().optional(),
  logFiles: z.array(
    z.object({
      s3Bucket: z.string(),
      s3Object: z.string(),
      hashAlgorithm: z.string().optional(),
      hashValue: z.string(),
      oldestEventTime: time,
      newestEventTime: time,
    }),
  ),
})

export type Digest = z.infer<typeof digestSchema>

/** Reads a digest. @throws UserError naming it when it cannot be read */
export async function readDigest(store: Store, key: string): Promise<Digest> {
  const chunks: Buffer[] = []
  for await (const chunk of await store.read(key)) chunks.push(chunk as Buffer)
  const bytes = Buffer.concat(chunks)
  try {
    const text = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
    return digestSchema.parse(JSON.parse(text.toString('utf8')))
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error)
    throw new UserError(`the digest ${JSON.stringify(key)} cannot be read: ${reason}`, {
      hint: 'stage with --keys list, which needs no digests',
    })
  }
}
